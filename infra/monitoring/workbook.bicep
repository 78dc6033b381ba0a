// The workbook: the queries of this folder with a job id and a time range.
param location string
param tags object
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insightsId, 'lamplighter')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Lamplighter'
    category: 'workbook'
    sourceId: insightsId
    // Generated from queries/*.kql by npm run gen.
    serializedData: loadTextContent('workbook.json')
  }
}
