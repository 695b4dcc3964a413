import JSON
import ModelFormat
import NumPyFormat

/// What a scaler of scikit-learn's does to each feature, as (x - mean) / scale.
package struct ScalerFile: Equatable {
  private(set) var mean: [Double]
  private(set) var scale: [Double]
  /// Whether mean and scale are plain numbers, not arrays of one: they are meant for all features.
  private(set) var isOneForAll = false

  /// A command that writes the numbers of a pickled scaler as JSON; advice for an error.
  static func exportLine(_ path: String, _ step: String = "") -> String {
    "\(command(path, step)) writes a file that can be"
  }

  /// The command itself; `step` leads from what was pickled to the scaler, such as `[0]` of a pipeline.
  static func command(_ path: String, _ step: String = "") -> String {
    "python3 -c \"import joblib, json; s = joblib.load('\(path)')\(step); json.dump({k: v if k == 'clip' else v.tolist() for k, v in "
      + "vars(s).items() if k in ('mean_', 'scale_', 'min_', 'center_', 'clip') and v is not None}, "
      + "open('scaler.json', 'w'))\""
  }

  package init(_ file: SourceFile) throws(ImportError) {
    let arrays: [String: [Double]]
    switch ForeignFile(file.bytes.span) {
    case .npz: arrays = try Self.arrays(npz: file)
    case nil where Self.isText(file.bytes):
      (arrays, isOneForAll) = try Self.arrays(json: file)
    case let kind: throw Self.refusal(file, kind)
    }
    func array(_ name: String) -> [Double]? { arrays["\(name)_"] ?? arrays[name] }
    let known = ["mean", "scale", "min", "center"]
    guard known.contains(where: { array($0) != nil }) else {
      throw ImportError(
        file: file.path,
        problem:
          "found \(arrays.isEmpty ? "no arrays" : excerpt(arrays.keys.sorted())), expected mean_ and scale_ (StandardScaler), "
          + "min_ and scale_ (MinMaxScaler), or mean and scale",
        remedy: arrays.isEmpty
          ? Self.otherTransform
          : Self.exportLine("scaler.pkl"))
    }
    if let shift = array("min") {
      // A MinMaxScaler computes x · scale_ + min_.
      guard let factor = array("scale"), factor.count == shift.count else {
        throw ImportError(
          file: file.path, place: "scale_", problem: "expected \(shift.count) numbers, as min_ has")
      }
      scale = factor.map { 1 / $0 }
      mean = zip(shift, factor).map { -$0 / $1 }
    } else {
      let given = array("mean") ?? array("center")
      let scale = array("scale")
      mean = given ?? Array(repeating: 0, count: scale?.count ?? 0)
      self.scale = scale ?? Array(repeating: 1, count: mean.count)
    }
    guard mean.count == scale.count else {
      throw ImportError(
        file: file.path,
        problem: "found \(mean.count) means and \(scale.count) scales, expected as many of each")
    }
    for (name, numbers) in [("mean", mean), ("scale", scale)] {
      guard let index = numbers.firstIndex(where: { !Float($0).isFinite }) else { continue }
      throw ImportError(
        file: file.path, place: "\(name) of feature \(index)",
        problem: "found \(numbers[index]), expected a finite number")
    }
    if let index = scale.firstIndex(where: { Float($0) == 0 }) {
      throw ImportError(
        file: file.path, place: "scale of feature \(index)", problem: "found 0, expected another")
    }
  }

  private static let otherTransform =
    "of what is no such scaler (PowerTransformer, Normalizer, a pipeline), send what its transform() answers"

  private static func isText(_ bytes: [UInt8]) -> Bool {
    !bytes.isEmpty && String(validating: bytes.prefix(1024), as: UTF8.self) != nil
      || bytes.count > 1024 && bytes[0] == UInt8(ascii: "{")
  }

  /// The error for a file of another kind; nil stands for bytes that are no text.
  private static func refusal(_ file: SourceFile, _ kind: ForeignFile?) -> ImportError {
    let pickle = ForeignPickle(file)
    let found =
      file.bytes.isEmpty ? "an empty file" : pickle?.what ?? kind?.what ?? "bytes that are no text"
    let remedy: String? =
      if let pickle {
        pickle.scalerStep.map { exportLine(file.path, $0) } ?? otherTransform
      } else if [nil, .pickle, .gzip, .bzip2, .xz].contains(kind), !file.bytes.isEmpty {
        exportLine(file.path)
      } else { exportLine("scaler.pkl") }
    return ImportError(
      file: file.path, problem: "found \(found), expected a scaler's numbers as .json or .npz",
      remedy: remedy)
  }

  private static func arrays(npz file: SourceFile) throws(ImportError) -> [String: [Double]] {
    let table = try WeightTable(npz: file)
    return Dictionary(
      uniqueKeysWithValues: table.weights.map { ($0.name, $0.floats.map(Double.init)) })
  }

  private static func arrays(
    json file: SourceFile
  ) throws(ImportError) -> (arrays: [String: [Double]], areNumbers: Bool) {
    let value: JSONValue
    do { value = try JSONParser.parse(file.bytes) } catch {
      throw ImportError(file: file.path, problem: error.description)
    }
    guard case .object(let members) = value else {
      throw ImportError(file: file.path, problem: "found \(value.kind), expected an object")
    }
    var arrays: [String: [Double]] = [:]
    for member in members {
      if member.key == "clip", case .bool(true) = member.value {
        throw ImportError(
          file: file.path, place: "clip",
          problem: "found a MinMaxScaler that clips, which mean and scale of an input don't",
          remedy: "write \"clip\": false here, and into model.json a node behind the input: "
            + "{ \"name\": \"clipped\", \"op\": \"clip\", \"inputs\": [\"x\"], \"min\": 0, \"max\": 1 }"
        )
      }
      switch member.value {
      case .number: arrays[member.key] = [member.value].compactMap(number)
      case .array(let elements):
        let numbers = elements.compactMap(number)
        if numbers.count == elements.count { arrays[member.key] = numbers }
      case .null, .bool, .string, .object: break
      }
    }
    let areNumbers = !members.contains { if case .array = $0.value { true } else { false } }
    return (arrays, areNumbers)
  }

  private static func number(_ value: JSONValue) -> Double? {
    guard case .number(let text) = value else { return nil }
    return Double(text)
  }
}
