/// Which branch of an `if` is executed.
enum ScriptBranches {
  /// Whether the first branch is taken. A branch that only raises an error is never taken.
  static func takesFirst(
    _ condition: AtenValue, _ then: [ScriptSyntax.Statement],
    _ otherwise: [ScriptSyntax.Statement], place: String
  ) throws(ImportError) -> Bool {
    switch condition {
    case .bool(let value): return value
    case .int(let value): return value != 0
    case .none: return false
    case .tensor, .float, .text, .list, .dictionary, .packed, .batchSizes, .permutation, .other:
      break
    }
    if then.contains(where: \.raises) { return false }
    if otherwise.contains(where: \.raises) { return true }
    if (then + otherwise).allSatisfy(\.isIdle) { return false }
    throw ImportError(
      file: "", place: place,
      problem: "found an if that depends on the input: control flow is not carried",
      remedy: "torch.jit.trace(model.eval(), (x,)) writes one branch alone")
  }
}
