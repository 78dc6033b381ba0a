// The exporters of telemetry for a deployed package: each target that package.json names becomes one file beside the bundle. As packages
// they would be 71 MB of modules in three forms; as a file it is 1 MB.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleName, installCommand, TELEMETRY_PACKAGES, type TelemetryTarget } from '../src/platform/telemetry-packages.ts'
import { BANNER } from './build-app.ts'

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Targets whose exporter package.json names as a dependency. That one lies in node_modules says nothing: others bring it along.
 */
export function wantedTargets({ dependencies = {}, optionalDependencies = {} }: Manifest): TelemetryTarget[] {
  const named = { ...dependencies, ...optionalDependencies }
  return (Object.keys(TELEMETRY_PACKAGES) as TelemetryTarget[]).filter((target) => TELEMETRY_PACKAGES[target][0] in named)
}

/**
 * Writes them into the folder of a built app.
 * @returns names of the files, and what is missing with the command that brings it
 */
export async function bundleTelemetry(
  outdir: string,
  manifest: Manifest,
): Promise<{ readonly files: readonly string[]; readonly warnings: readonly string[] }> {
  const files: string[] = []
  const warnings: string[] = []
  for (const target of wantedTargets(manifest)) {
    const missing = TELEMETRY_PACKAGES[target].filter((name) => !existsSync(join('node_modules', name)))
    if (missing.length > 0) {
      warnings.push(
        `${missing.join(', ')} not installed: TELEMETRY=${target} stays off in this package. ${installCommand(target)}`,
      )
      continue
    }
    await bundle(target, join(outdir, bundleName(target)))
    files.push(bundleName(target))
  }
  return { files, warnings }
}

/** One default export with everything: which names CommonJS exports is known only when it runs. */
async function bundle(target: TelemetryTarget, outfile: string): Promise<void> {
  const names = TELEMETRY_PACKAGES[target]
  const imports = names.map((name, i) => `import * as p${i} from '${name}'`)
  const contents = [...imports, `export default { ${names.map((_name, i) => `...p${i}`).join(', ')} }`].join('\n')
  await build({
    stdin: { contents, resolveDir: process.cwd() },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    banner: { js: BANNER },
    logLevel: 'warning',
  })
}
