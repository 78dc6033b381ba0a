// What the build turns into the name of a file, or into text.
declare module 'land' {
  const name: string
  export default name
}
declare module '*.kql' {
  const text: string
  export default text
}
declare module '*.css' {}
