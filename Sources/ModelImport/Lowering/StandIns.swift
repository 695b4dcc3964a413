/// The numbers that stand in for sizes that a file leaves open, by which an axis is recognised: primes, or twice one.
struct StandIns {
  let batch: Int
  /// For step axes with lengths of their own.
  let steps: [Int]
  /// For element axes.
  let elements: [Int]

  /// The error with these numbers, and numbers derived from them, replaced by names in shapes: people don't know these numbers.
  func named(in error: ImportError, _ lowering: Lowering) -> ImportError {
    let made = Set(
      lowering.lengths.values.filter { atom in
        atom.role == .time && lowering.exampleSteps.root(of: atom)?.isOpen == true
      }.map(\.size))
    var error = error
    error.problem = named(in: error.problem, made)
    error.remedy = error.remedy.map { named(in: $0, made) }
    return error
  }

  /// The error that an input's size is missing, if an error speaks of that size.
  func missingSize(in lowering: Lowering, behind error: ImportError) -> ImportError? {
    guard hasElements(error.problem) else { return nil }
    return lowering.missingSizes.min { $0.key < $1.key }?.value
  }

  /// Whether a text speaks of a number that stands in for elements, or a multiple of one.
  private func hasElements(_ text: String) -> Bool {
    text.split { !($0.isASCII && $0.isNumber) }.compactMap { Int($0) }.contains { number in
      number > 0 && elements.contains { number % $0 == 0 }
    }
  }

  /// - Parameter made: numbers of steps that pools and strides left.
  private func named(in text: String, _ made: Set<Int>) -> String {
    var result = ""
    var digits = ""
    for character in text + "\n" {
      if character.isASCII, character.isNumber {
        digits.append(character)
        continue
      }
      if !digits.isEmpty {
        result += Int(digits).flatMap { name($0) ?? (made.contains($0) ? part($0) : nil) } ?? digits
      }
      digits = ""
      result.append(character)
    }
    return String(result.dropLast())
  }

  /// How much kernels and shifts may change a number of steps for it to be recognised.
  private static let reach = 64

  /// The name for a number; nil for an ordinary number.
  private func name(_ number: Int) -> String? {
    let known =
      [(batch, "batch")]
      + steps.enumerated().map { ($1, $0 == 0 ? "steps" : "steps\($0 + 1)") }
      + elements.map { ($0, "N") }
    var (rest, names): (Int, [String]) = (number, [])
    for (size, name) in known where rest > 0 && rest % size == 0 {
      names.append(name)
      rest /= size
    }
    if !names.isEmpty {
      return (rest == 1 ? names : ["\(rest)"] + names).joined(separator: "·")
    }
    for (size, name) in known.dropFirst().dropLast(elements.count)
    where number != size && abs(number - size) <= Self.reach {
      return "\(name)\(number < size ? "−" : "+")\(abs(number - size))"
    }
    return nil
  }

  /// The name for steps of which a pool or a stride took one for several.
  private func part(_ number: Int) -> String? {
    guard number > 0, let all = steps.first(where: { $0 > number }) else { return nil }
    return "steps/\(Int((Double(all) / Double(number)).rounded()))"
  }
}
