// Shapes that modules hand to one another.
@export()
type Identity = {
  id: string
  name: string
  clientId: string
  principalId: string
}

@export()
type Database = {
  host: string
  @description('6432 is the pooler, 5432 the server')
  port: int
  name: string
}

@export()
type Durable = {
  isManaged: bool
  schedulerEndpoint: string
  taskHub: string
}
