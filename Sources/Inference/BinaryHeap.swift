/// A binary heap in an array: no element comes before its parent, so that the first element comes before all others.
extension Array {
  /// Makes a heap of the elements, in linear time.
  mutating func makeHeap(by comesBefore: (Element, Element) -> Bool) {
    for node in stride(from: count / 2 - 1, through: 0, by: -1) {
      siftDown(from: node, by: comesBefore)
    }
  }

  /// Restores the heap below `start`, whose element may be out of place.
  mutating func siftDown(from start: Int, by comesBefore: (Element, Element) -> Bool) {
    let element = self[start]
    var node = start
    while 2 * node + 1 < count {
      var child = 2 * node + 1
      if child + 1 < count, comesBefore(self[child + 1], self[child]) { child += 1 }
      guard comesBefore(self[child], element) else { break }
      self[node] = self[child]
      node = child
    }
    self[node] = element
  }
}
