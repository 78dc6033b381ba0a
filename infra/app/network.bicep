// Private addresses: the app leaves through its subnet, everything that holds data is reached inside the network only.
param location string
param tags object
param token string
param hostAccountId string
param hostServices string[]
param dataAccountId string
param vaultId string
param postgresId string

var storageSuffix = environment().suffixes.storage
// Public Azure; other clouds have names of their own.
var zones = {
  blob: 'privatelink.blob.${storageSuffix}'
  queue: 'privatelink.queue.${storageSuffix}'
  table: 'privatelink.table.${storageSuffix}'
  vault: 'privatelink.vaultcore.azure.net'
  postgresqlServer: 'privatelink.postgres.database.azure.com'
}
var endpoints = concat(
  map(hostServices, service => { name: 'host-${service}', service: service, target: hostAccountId }),
  [
    { name: 'data-blob', service: 'blob', target: dataAccountId }
    { name: 'vault', service: 'vault', target: vaultId }
    { name: 'postgres', service: 'postgresqlServer', target: postgresId }
  ]
)
var services = union(hostServices, ['vault', 'postgresqlServer'])

resource network 'Microsoft.Network/virtualNetworks@2024-10-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.40.0.0/23'] }
    subnets: [
      {
        name: 'app'
        properties: {
          // Flex Consumption wants a /27 at least; this has room for 40 instances and those of a release beside them.
          addressPrefix: '10.40.0.0/24'
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.40.1.0/27', privateEndpointNetworkPolicies: 'Disabled' }
      }
    ]
  }

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }
  resource endpointSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

resource dnsZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: {
    name: zones[service]
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, i) in services: {
    parent: dnsZones[i]
    name: 'network'
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-10-01' = [
  for endpoint in endpoints: {
    name: 'pe-${endpoint.name}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network::endpointSubnet.id }
      privateLinkServiceConnections: [
        { name: endpoint.name, properties: { privateLinkServiceId: endpoint.target, groupIds: [endpoint.service] } }
      ]
    }
  }
]

resource dnsGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-10-01' = [
  for (endpoint, i) in endpoints: {
    parent: privateEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: endpoint.service
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zones[endpoint.service]) }
        }
      ]
    }
    dependsOn: [dnsZones]
  }
]

output appSubnetId string = network::appSubnet.id
