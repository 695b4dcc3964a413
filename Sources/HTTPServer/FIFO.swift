/// A queue: elements are taken out in the order in which they were put in.
struct FIFO<Element> {
  private var elements: [Element?] = []
  private var takenCount = 0

  var count: Int { elements.count - takenCount }
  var isEmpty: Bool { count == 0 }

  /// The first element; nil when there is none.
  var first: Element? { isEmpty ? nil : elements[takenCount] }

  mutating func append(_ element: Element) { elements.append(element) }

  /// Removes and returns the first element; nil when there is none.
  mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    // Mostly there is one, which then costs a third.
    if elements.count == 1 { return elements.removeLast() }
    let first = elements[takenCount].take()
    takenCount += 1
    // At most as many elements are moved as were taken out since the last move.
    if takenCount * 2 >= elements.count {
      elements.removeFirst(takenCount)
      takenCount = 0
    }
    return first
  }
}
