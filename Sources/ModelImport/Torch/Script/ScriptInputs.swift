/// The possible parameters of a TorchScript `forward`.
enum ScriptInputs {
  enum Kind {
    /// So many tensors, as one or as a tuple.
    case tensors(Int, isTuple: Bool)
    /// The parameter is omitted.
    case fallback(ScriptSyntax.Expression)
    case unknown
  }

  static func kind(of parameter: ScriptSyntax.Parameter) -> Kind {
    if let fallback = parameter.fallback { return .fallback(fallback) }
    if parameter.type == "Tensor" || parameter.type.isEmpty { return .tensors(1, isTuple: false) }
    if parameter.type.hasPrefix("Optional[") { return .fallback(.none) }
    if parameter.type.hasPrefix("Tuple["), parameter.type.hasSuffix("]") {
      let parts = parameter.type.dropFirst("Tuple[".count).dropLast().split(separator: ",")
      if !parts.isEmpty, parts.allSatisfy({ $0 == "Tensor" }) {
        return .tensors(parts.count, isTuple: true)
      }
    }
    return .unknown
  }

  /// The names of the tensors that `forward` needs.
  static func names(of forward: ScriptSyntax.Function) -> [String] {
    forward.parameters.dropFirst().flatMap { parameter -> [String] in
      switch kind(of: parameter) {
      case .tensors(1, isTuple: false): [parameter.name]
      case .tensors(let count, _): (0..<count).map { "\(parameter.name).\($0)" }
      case .fallback, .unknown: []
      }
    }
  }
}
