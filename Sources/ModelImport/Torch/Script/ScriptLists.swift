/// The names of lists that a function has made, and that nothing else refers to: elements may be appended to these.
struct ScriptLists {
  private(set) var own: Set<String> = []

  /// Records what an assignment makes of its names.
  mutating func record(_ names: [String], _ expression: ScriptSyntax.Expression) {
    own.subtract(names)
    switch expression {
    case .name(let other): own.remove(other)
    case .tuple(let elements):
      for case .name(let other) in elements { own.remove(other) }
    case .list(let elements):
      for case .name(let other) in elements { own.remove(other) }
      own.formUnion(names)
    // annotate(List[Tensor], [])
    case .call(.name("annotate"), let arguments, _):
      if case .list? = arguments.last { own.formUnion(names) }
    default: break
    }
  }
}
