import JSON
import ModelFormat
import Serving

extension InputDecoder {
  /// Finds out by the depth of the first element whether `node` is one sequence or many, and how these are written.
  func form(
    of node: Int, _ input: Int, _ path: InputPath
  ) throws(Fault) -> (Form, isArray: Bool) {
    let kind = model.inputs[input].kind
    // The depth of arrays around a number: for one sequence, and at most.
    let levels: ClosedRange<Int>
    let sequence: BodyError.Expectation
    switch kind {
    case .features(1, _, _): (levels, sequence) = (1...3, .flat)
    case .tokens:
      (levels, sequence) = (1...3, .tokens(orText: model.vocabularies[input] != nil))
    case .features(let size, _, _): (levels, sequence) = (2...3, .vectors(size))
    case .vector(let size): (levels, sequence) = (1...2, .numbers(size))
    }
    var (first, firstPath, depth) = (node, path, 0)
    while document.kind(first) == .array, document.count(first) > 0, depth < levels.upperBound {
      first += 1
      firstPath = firstPath[0]
      depth += 1
    }
    switch document.kind(first) {
    case .numbers where levels.contains(depth + 1):
      switch kind {
      case .features(1, _, _), .tokens:
        return (depth == 2 ? .steps(of: 1) : .flat, isArray: depth > 0)
      case .features(let size, _, _): return (.steps(of: size), isArray: depth == 2)
      case .vector: return (.flat, isArray: depth == 1)
      }
    case .numbers where depth == 0:
      throw Fault(
        BodyError.unexpected(
          path: firstPath[0].description, found: firstNumber(first), expected: step(of: kind)))
    case .string where depth < 2 && kind.isTokens:
      return (.text, isArray: depth == 1)
    case .array where document.count(first) == 0:
      throw Fault(
        BodyError.unexpected(path: firstPath.description, found: .array(0), expected: .element))
    case .null, .false, .true, .number, .string, .numbers, .array, .object:
      throw Fault(
        BodyError.unexpected(
          path: firstPath.description, found: document.found(first),
          expected: depth == 0 ? sequence : depth < levels.lowerBound ? step(of: kind) : .number))
    }
  }

  /// The expected form of one step of an input.
  private func step(of kind: ModelDescription.Input.Kind) -> BodyError.Expectation {
    if case .features(let size, _, _) = kind, size > 1 { .numbers(size) } else { .number }
  }

  /// The number that an array starts with.
  func firstNumber(_ node: Int) -> JSONDocument.Found {
    .number(document.numbers[document.range(node).lowerBound].decimal)
  }
}

extension ModelDescription.Input.Kind {
  fileprivate var isTokens: Bool { if case .tokens = self { true } else { false } }
}
