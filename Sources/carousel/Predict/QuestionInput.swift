import ArgumentParser
import Inference
import ModelFormat
import NumPyFormat
import Serving

/// The content of `--input`, and its origin.
struct QuestionInput {
  enum Content {
    /// The body of a `POST /predict`.
    case json([UInt8])
    /// One column for each input of the model, in the model's order.
    case columns([InputColumn], outputs: Selection.Steps?, horizon: Int?)
  }

  let content: Content
  /// The file and, for an array, its shape; for errors.
  let origin: String

  /// The body in a JSON file, or the arrays of a .npy or .npz file together with the options of the command line.
  ///
  /// - Parameters:
  ///   - path: the path of the file; `-` is standard input.
  ///   - inputs: the model's inputs, whose kinds give the axes of arrays a meaning.
  init(
    _ bytes: [UInt8], path: String, inputs: [ModelDescription.Input],
    outputs: Selection.Steps? = nil, horizon: Int? = nil
  ) throws {
    var origin = inputName(path)
    let columns: [InputColumn]
    do {
      if NPYFile.isNPY(bytes) {
        guard inputs.count == 1 else { throw CarouselError.oneArray(inputs: inputs.map(\.name)) }
        let file = try NPYFile(bytes)
        origin += ", of shape \(file.header.shapeText)"
        columns = [try file.column(for: inputs[0])]
      } else if ZipArchive.isZip(bytes), Self.isArchive(bytes) {
        columns = try NPZFile(bytes).columns(for: inputs)
      } else {
        guard Self.isText(bytes) else {
          throw CarouselError.notAnInput(path: path, ForeignFile(bytes.span))
        }
        guard outputs == nil, horizon == nil else {
          throw ValidationError(
            "--outputs and --horizon stand in the JSON, unless the input is .npy or .npz")
        }
        content = .json(bytes)
        self.origin = origin
        return
      }
    } catch let error as NumPyError {
      throw CarouselError.inInput(origin: origin, .numPy(error))
    } catch let error as CarouselError {
      if case .notAnInput = error { throw error }
      throw CarouselError.inInput(origin: origin, error)
    }
    content = .columns(columns, outputs: outputs, horizon: horizon)
    self.origin = origin
  }

  /// Whether a zip archive may hold arrays, and is not a file of PyTorch, Keras or an office suite.
  private static func isArchive(_ bytes: [UInt8]) -> Bool {
    switch ForeignFile(bytes.span) {
    case .npz, .zip, nil: true
    default: false
    }
  }

  /// Whether the bytes are text, so that they are parsed as JSON and errors speak of JSON. Binary formats begin with
  /// control characters or bytes beyond ASCII; text does so only in another encoding.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    let space: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
    if bytes.first(where: { !space.contains($0) }) == UInt8(ascii: "{") { return true }
    if byteOrderMarks.contains(where: { bytes.starts(with: $0) }) { return true }
    return ForeignFile(bytes.span) == nil && !bytes.prefix(8).contains { $0 < 0x09 || $0 >= 0x7F }
  }
}

extension InputColumn {
  /// Makes one sequence of features of size 1 as many sequences of one step.
  fileprivate mutating func divideIntoSteps() {
    guard !isArray, values.count == 1, case .features(let numbers) = values[0] else { return }
    (values, isArray) = (numbers.map { .features([$0]) }, true)
  }
}

/// The byte order marks of UTF-8 and UTF-16.
private let byteOrderMarks: [[UInt8]] = [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]]

extension NPZFile {
  /// The arrays of the model's inputs, found by name. The only array for a single input may have no name.
  fileprivate func columns(
    for inputs: [ModelDescription.Input]
  ) throws(CarouselError) -> [InputColumn] {
    let expected = inputs.map(\.name)
    let isUnnamed = inputs.count == 1 && names == [Self.unnamed]
    guard isUnnamed || names.sorted() == expected.sorted() else {
      throw .arrayNames(found: names, expected: expected, mayHaveNoName: expected.count == 1)
    }
    // The guard above found every name.
    let places = isUnnamed ? [0] : expected.compactMap { names.firstIndex(of: $0) }
    var columns: [InputColumn] = []
    let arrays = try read(at: places)
    for (place, array) in zip(places, arrays) {
      let input = inputs.first { $0.name == names[place] } ?? inputs[0]
      do throws(CarouselError) { columns.append(try array.column(for: input)) } catch {
        guard case .numPy(let problem) = error else { throw error }
        throw .numPy(failure(at: place, problem))
      }
    }
    // Of one feature, (B, 1) is a sequence of B steps by itself, and B sequences of one step beside others of B sequences.
    if let count = columns.first(where: \.isArray)?.values.count {
      for (index, array) in arrays.enumerated() where array.header.shape == [count, 1] {
        columns[index].divideIntoSteps()
      }
    }
    return columns
  }

  private func read(at places: [Int]) throws(CarouselError) -> [NPYFile] {
    do { return try arrays(at: places) } catch { throw .numPy(error) }
  }
}
