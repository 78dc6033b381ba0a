// One inventory in a process of its own.
import { takeInventory } from './inventory.ts'

console.log(JSON.stringify(await takeInventory(Number(process.argv[2]))))
