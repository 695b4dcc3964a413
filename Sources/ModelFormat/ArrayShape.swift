/// Shapes that files and requests claim.
package enum ArrayShape {
  /// The most elements that the sizes of an array without elements may come to, zeros aside: no bytes account for them.
  package static let maxEmptyExtent = 1 << 24

  /// The number of elements of an array; nil if a size is negative, or if sizes come to more than an Int holds, even where one
  /// of them is 0: what is computed of some of them would not fit either.
  package static func count(_ shape: [Int]) -> Int? {
    var extent = 1
    for size in shape {
      let (product, overflow) = extent.multipliedReportingOverflow(by: Swift.max(size, 1))
      guard size >= 0, !overflow else { return nil }
      extent = product
    }
    guard shape.contains(0) else { return extent }
    return extent <= maxEmptyExtent ? 0 : nil
  }
}
