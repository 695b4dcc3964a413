/// Shapes that files and requests claim.
package enum ArrayShape {
  /// The most elements that the sizes of an array without elements may come to, zeros aside: no bytes account for them.
  package static let maxEmptyExtent = 1 << 24

  /// The number of elements of an array; nil if a size is negative, or if the sizes, zeros aside, come to more than `limit` or, of
  /// an array without elements, more than `emptyLimit`: what is computed of some of the sizes has to fit too.
  package static func count(
    _ shape: some Sequence<Int>, limit: Int = .max, emptyLimit: Int = maxEmptyExtent
  ) -> Int? {
    var (extent, isEmpty) = (1, false)
    for size in shape {
      let (product, overflow) = extent.multipliedReportingOverflow(by: max(size, 1))
      guard size >= 0, !overflow, product <= limit else { return nil }
      extent = product
      isEmpty = isEmpty || size == 0
    }
    guard isEmpty else { return extent }
    return extent <= emptyLimit ? 0 : nil
  }
}
