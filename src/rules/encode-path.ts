/** A name as the path of a URL: each part escaped, slashes kept. @example encodePath('a b/#1.tif') // 'a%20b/%231.tif' */
export const encodePath = (name: string): string => name.split('/').map(encodeURIComponent).join('/')
