// What the scripts that run something from a Maven repository have in common.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { succeeds } from './emulator.ts'

const oldestJava = 17

/** Copies what a POM names into a directory, unless it is there. Gives why that cannot be done here, if so. */
export function copyArtefacts(pom: string, directory: string): string | undefined {
  // The compiler's: DynamoDB Local is started by a class that is compiled then.
  const version = javaVersion()
  if (version === undefined) return 'there is no JDK'
  if (version < oldestJava) return `the JDK is ${version}, and ${oldestJava} is needed`
  // Stands beside what it names as soon as all of that is there.
  const copied = `${directory}/pom.xml`
  if (existsSync(copied) && readFileSync(copied, 'utf8') === readFileSync(pom, 'utf8')) return undefined
  rmSync(directory, { recursive: true, force: true })
  if (!succeeds('mvn', ['--version'])) return 'there is no mvn'
  const copy = ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime']
  if (!succeeds('mvn', [...copy, `-DoutputDirectory=${process.cwd()}/${directory}`]))
    return `mvn cannot get what ${pom} names`
  copyFileSync(pom, copied)
  return undefined
}

function javaVersion(): number | undefined {
  const { status, stdout } = spawnSync('javac', ['-version'], { encoding: 'utf8' })
  const version = /javac (\d+)/.exec(stdout)?.[1]
  return status === 0 && version !== undefined ? Number(version) : undefined
}
