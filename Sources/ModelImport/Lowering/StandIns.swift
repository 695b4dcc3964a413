/// Primes in the place of sizes that a file leaves open, by which an axis is known again wherever it goes.
struct StandIns {
  let batch: Int
  /// Of axes of steps with lengths of their own.
  let steps: [Int]
  /// Of axes of elements.
  let elements: [Int]

  /// The error with names where these numbers, or numbers made of them, stand in shapes: people did not give them.
  func named(in error: ImportError) -> ImportError {
    var error = error
    error.problem = named(in: error.problem)
    error.remedy = error.remedy.map { named(in: $0) }
    return error
  }

  private func named(in text: String) -> String {
    var result = ""
    var digits = ""
    for character in text + "\n" {
      if character.isASCII, character.isNumber {
        digits.append(character)
        continue
      }
      if !digits.isEmpty { result += Int(digits).flatMap(name) ?? digits }
      digits = ""
      result.append(character)
    }
    return String(result.dropLast())
  }

  /// How far a number of steps may be from that of an input: kernels and shifts change it.
  private static let reach = 64

  /// What a number stands for; nil of one that stands for itself.
  private func name(_ number: Int) -> String? {
    let known =
      [(batch, "batch")]
      + steps.enumerated().map { ($1, $0 == 0 ? "steps" : "steps\($0 + 1)") }
      + elements.map { ($0, "N") }
    var (rest, names): (Int, [String]) = (number, [])
    for (prime, name) in known where rest > 0 && rest % prime == 0 {
      names.append(name)
      rest /= prime
    }
    if !names.isEmpty {
      return (rest == 1 ? names : ["\(rest)"] + names).joined(separator: "·")
    }
    for (prime, name) in known.dropFirst().dropLast(elements.count)
    where number != prime && abs(number - prime) <= Self.reach {
      return "\(name)\(number < prime ? "−" : "+")\(abs(number - prime))"
    }
    return nil
  }
}
