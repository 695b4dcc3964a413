extension RandomAccessCollection where Index == Int, Element: Comparable {
  /// The indices in `range` of the `count` largest elements, the largest first; of equals, the first comes first.
  ///
  /// Uses a heap of `count` elements with the least at its root: most elements are compared with the root only.
  func ranked(_ count: Int, in range: Range<Int>) -> [Int] {
    var kept: [Int] = []
    kept.reserveCapacity(count)
    func goesBefore(_ a: Int, _ b: Int) -> Bool {
      self[a] == self[b] ? a > b : self[a] < self[b]
    }
    for index in range {
      if kept.count < count {
        kept.append(index)
        if kept.count == count { kept.makeHeap(by: goesBefore) }
      } else if self[index] > self[kept[0]] {
        kept[0] = index
        kept.siftDown(from: 0, by: goesBefore)
      }
    }
    return kept.sorted { goesBefore($1, $0) }
  }
}
