extension ScriptExecution {
  // MARK: Loops and lists

  /// Counts a statement, or a round of a loop.
  mutating func count(_ place: Place) throws(ImportError) {
    statements += 1
    guard statements <= Self.maxStatements else {
      throw ImportError(
        file: "", place: place.text, problem: "found more than \(Self.maxStatements) statements")
    }
  }

  /// A loop whose number of rounds is known from the file: its statements, once for each.
  mutating func loop(
    _ name: String, _ count: ScriptSyntax.Expression, _ body: [ScriptSyntax.Statement],
    _ scope: inout Scope, _ place: Place
  ) throws(ImportError) -> Flow {
    guard case .plain(.int(let rounds)) = try evaluate(count, scope, place) else {
      throw ImportError(
        file: "", place: place.text,
        problem:
          "found a loop whose number of rounds depends on the input: it must be known from the file",
        remedy: Remedy.withoutControl)
    }
    for round in 0..<max(rounds, 0) {
      try self.count(place)
      scope[name] = .plain(.int(round))
      let flow = try run(body, &scope, place)
      guard case .next = flow else { return flow }
    }
    return .next
  }

  /// Does `torch.append(list, element)` for a list that the function has made; false for another expression.
  mutating func append(
    _ expression: ScriptSyntax.Expression, _ scope: inout Scope, _ place: Place
  ) throws(ImportError) -> Bool {
    guard case .call(.attribute(.name("torch"), "append"), let arguments, _) = expression,
      arguments.count == 2, case .name(let name) = arguments[0], lists.own.contains(name),
      case .plain(.list(let values))? = scope[name]
    else { return false }
    scope[name] = .plain(.list(values + [try evaluate(arguments[1], scope, place).plain]))
    return true
  }
}
