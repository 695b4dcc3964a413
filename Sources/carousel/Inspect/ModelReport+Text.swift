import Glibc
import JSON
import ModelFormat

extension ModelReport {
  /// The report as lines for a terminal.
  var text: String {
    var lines = ["\(name) \(version)"]
    if let summary { lines.append(summary) }
    lines += ["", "Inputs"]
    lines += table(inputs.map { ["  \($0.name)", $0.form] })
    lines += ["", "Graph"]
    lines += table(nodes.map(Self.row))
    if let decoder {
      lines += ["", "Decoder"]
      lines += table(decoder.inputs.map { ["  \($0.name)", $0.origin] })
      lines += table(decoder.nodes.map(Self.row))
      lines += [
        "", "Tokens",
        "  \(decoder.output)  \(decoder.size) a step, \(decoder.course)"
          + (decoder.text ? ", as text" : ""),
      ]
    }
    if !outputs.isEmpty { lines += ["", "Outputs"] }
    lines += table(
      outputs.map { output in
        [
          "  \(output.name)", Self.form(output.kind, output.size),
          output.labels.map { "labels \($0.joined(separator: ", "))" } ?? "",
          output.forecasts.map { "foretells \($0)" } ?? "",
          output.quantiles.map { "quantiles \($0.map(\.description).joined(separator: ", "))" }
            ?? "",
          output.decode.map { "decoded by \($0)" } ?? "",
          output.reconstructs.map { "reconstructs \($0)" } ?? "",
        ]
      })
    lines.append("")
    lines += table(facts.map { ["  \($0)", $1] })
    if let deviation {
      lines += [
        "",
        "Differences from f32, on \(deviation.sample): "
          + "\(deviation.sequences) \(deviation.sequences == 1 ? "sequence" : "sequences"), "
          + "\(deviation.steps) \(deviation.steps == 1 ? "step" : "steps")",
      ]
      lines += table(deviation.outputs.map(Self.row))
    }
    return lines.map(\.printable).joined(separator: "\n")
  }

  private var facts: [(String, String)] {
    var facts = [
      ("parameters", "\(parameters)"),
      ("bytes", "\(bytes) in the file, \(packedBytes) packed"),
      ("precision", precision),
      ("streamable", streamable ? "yes: rides step by step" : "no: needs whole sequences"),
    ]
    if decoder == nil {
      facts.append(("outputs", "\(defaultOutputs) unless the question says otherwise"))
    }
    if let forecastSteps { facts.append(("forecast", "\(forecastSteps) steps at a time")) }
    if let source { facts.append(("source", source)) }
    facts.append(("licence", licence ?? "not stated"))
    if !unusedTensors.isEmpty {
      facts.append(("unused", unusedTensors.joined(separator: ", ")))
    }
    return facts
  }

  private static func row(_ node: Node) -> [String] {
    [
      "  \(node.name)", "\(node.op)(\(node.inputs.joined(separator: ", ")))",
      form(node.kind, node.size), node.shape ?? "",
      node.parameters > 0 ? "\(node.parameters) parameters" : "",
    ]
  }

  private static func row(_ output: Deviation.Output) -> [String] {
    [
      "  \(output.name)", "at most \(brief(output.largestDifference))",
      "root mean square \(brief(output.rmsDifference))",
      "of values from " + output.f32Range.map { brief(Double($0)) }.joined(separator: " to "),
      output.otherClass.map { "another class first in \($0) of \(output.answers) answers" } ?? "",
    ]
  }

  /// A number with three significant digits.
  static func brief(_ number: Double) -> String {
    guard number != 0 else { return "0" }
    let unit = pow(10, floor(log10(abs(number))) - 2)
    return "\(Float((number / unit).rounded() * unit))"
  }

  private static func form(_ kind: String, _ size: Int) -> String {
    "\(size) a \(kind == "vector" ? "sequence" : "step")"
  }

  /// Rows as lines, with columns aligned two spaces apart.
  private func table(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      let line = cells.joined(separator: "  ")
      return String(line[...(line.lastIndex { $0 != " " } ?? line.startIndex)])
    }
  }
}

extension ModelReport.Input {
  fileprivate var form: String {
    switch kind {
    case "tokens": "an id below \(size) a step" + (text ? ", or text" : "")
    case "features": "\(size) a step" + (normalised ? ", in raw units" : "")
    default: "\(size) a sequence"
    }
  }
}
