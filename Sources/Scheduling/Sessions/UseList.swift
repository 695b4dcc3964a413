/// A list of elements in order of last use. Each keeps its index until it is removed.
struct UseList<Element> {
  private struct Node {
    var element: Element
    /// Its neighbours by last use; nil at the ends.
    var older: Int?
    var newer: Int?
  }

  private var nodes: [Node?] = []
  private var vacant: [Int] = []
  /// The indices of the elements that were used least and most recently; nil if the list is empty.
  private(set) var oldest: Int?
  private(set) var newest: Int?

  /// The element at an index that is in use.
  subscript(index: Int) -> Element {
    get { nodes[index]!.element }
    set { nodes[index]!.element = newValue }
  }

  /// The index of the element that was used just before this one; nil if it is the oldest.
  func older(than index: Int) -> Int? { nodes[index]?.older }

  /// The index of the element that was used just after this one; nil if it is the newest.
  func newer(than index: Int) -> Int? { nodes[index]?.newer }

  /// Adds an element as the last used; returns its index.
  mutating func append(_ element: Element) -> Int {
    let index = vacant.popLast() ?? nodes.count
    if index == nodes.count { nodes.append(nil) }
    nodes[index] = Node(element: element)
    link(index)
    return index
  }

  mutating func remove(_ index: Int) -> Element {
    unlink(index)
    defer {
      nodes[index] = nil
      vacant.append(index)
    }
    return nodes[index]!.element
  }

  /// Makes an element the last used.
  mutating func touch(_ index: Int) {
    unlink(index)
    link(index)
  }

  private mutating func link(_ index: Int) {
    nodes[index]!.older = newest
    nodes[index]!.newer = nil
    if let newest { nodes[newest]!.newer = index } else { oldest = index }
    newest = index
  }

  private mutating func unlink(_ index: Int) {
    let (older, newer) = (nodes[index]!.older, nodes[index]!.newer)
    if let older { nodes[older]!.newer = newer } else { oldest = newer }
    if let newer { nodes[newer]!.older = older } else { newest = older }
  }
}
