import Scheduling

/// Writes metrics in Prometheus' text format 0.0.4.
struct PrometheusText {
  /// The kinds of metrics used here.
  enum Kind: String {
    case counter, gauge, histogram
  }

  /// Labels in the order in which they are written.
  typealias Labels = [(name: String, value: String)]

  private(set) var text = ""
  private var family = ""

  /// Begins a family of metrics; its samples follow.
  mutating func family(_ name: String, _ kind: Kind, help: String) {
    family = name
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func sample(_ labels: Labels = [], value: Double) {
    sample(suffix: "", labels, Self.number(value))
  }

  mutating func sample(_ labels: Labels = [], value: some FixedWidthInteger) {
    sample(suffix: "", labels, "\(value)")
  }

  /// Writes a histogram: cumulative buckets, sum and count.
  mutating func histogram(_ labels: Labels = [], _ snapshot: HistogramSnapshot) {
    var cumulative: UInt64 = 0
    for (bound, count) in zip(snapshot.upperBounds + [.infinity], snapshot.counts) {
      cumulative += count
      sample(suffix: "_bucket", labels + [("le", Self.number(bound))], "\(cumulative)")
    }
    sample(suffix: "_sum", labels, Self.number(snapshot.sum))
    sample(suffix: "_count", labels, "\(cumulative)")
  }

  private mutating func sample(suffix: String, _ labels: Labels, _ value: String) {
    text += family
    text += suffix
    if !labels.isEmpty {
      text += "{"
      text += labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
      text += "}"
    }
    text += " \(value)\n"
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return "\(value)"
  }

  private static func escaped(_ value: String) -> String {
    value.reduce(into: "") { text, character in
      switch character {
      case "\\": text += #"\\"#
      case "\"": text += #"\""#
      case "\n": text += #"\n"#
      default: text.append(character)
      }
    }
  }
}
