import ModelFormat
import Synchronization

/// The files with weights beside a model (ONNX's "external data").
struct ExternalData: Sendable {
  /// The folder of the model's file.
  let folder: String
  private let opened = OpenedFiles()

  /// The files read so far, by path, and the paths of all that tensors name.
  private final class OpenedFiles: Sendable {
    let bytes = Mutex<[String: [UInt8]]>([:])
    let named = Mutex<Set<String>>([])
  }

  /// The paths of the files that the model names.
  var files: Set<String> { opened.named.withLock { $0 } }

  init(model: String) {
    let parts = model.split(separator: "/", omittingEmptySubsequences: false)
    folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
  }

  struct Place: Sendable {
    let path: String
    let offset: Int
    let length: Int
  }

  /// The place of a tensor's bytes, which has to be in the model's folder.
  func place(
    _ entries: [String: String], expected: Int, tensor: String
  ) throws(ImportError) -> Place {
    func refusal(_ problem: String, _ remedy: String? = nil) -> ImportError {
      ImportError(
        file: "", place: "tensor \"\(tensor.prefix(200))\"", problem: problem, remedy: remedy)
    }
    guard let location = entries["location"] else {
      throw refusal("its elements are said to be in another file, which isn't named")
    }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains(".."), !location.contains("\0"),
      !location.isEmpty
    else {
      throw refusal(
        "found \"\(location.prefix(200))\" for the file of its elements, expected one in the model's folder"
      )
    }
    let offset = entries["offset"].map { Int($0) ?? -1 } ?? 0
    let length = entries["length"].map { Int($0) ?? -1 } ?? expected
    guard offset >= 0, length == expected else {
      throw refusal(
        "found \(entries["length"] ?? "no") bytes from \(entries["offset"] ?? "0") on in \"\(location)\", expected \(expected)"
      )
    }
    let path = "\(folder)/\(location)"
    _ = opened.named.withLock { $0.insert(path) }
    return Place(path: path, offset: offset, length: length)
  }

  /// The bytes at a place.
  func bytes(_ place: Place, tensor: String) throws(ImportError) -> [UInt8] {
    do {
      let bytes = try read(place.path)
      let (end, overflows) = place.offset.addingReportingOverflow(place.length)
      guard !overflows, end <= bytes.count else {
        throw ImportError(
          file: place.path, place: "tensor \"\(tensor.prefix(200))\"",
          problem:
            "found a file of \(bytes.count) bytes, expected \(place.length) bytes from \(place.offset) on",
          remedy: "keep the file of the weights beside the model as it was exported")
      }
      return Array(bytes[place.offset..<end])
    } catch let error as ModelError {
      throw ImportError(
        file: place.path, place: "tensor \"\(tensor.prefix(200))\"", problem: "\(error)",
        remedy: "put the file beside the model, where its export left it")
    } catch let error as ImportError {
      throw error
    } catch { preconditionFailure("\(error)") }
  }

  private func read(_ path: String) throws -> [UInt8] {
    if let bytes = opened.bytes.withLock({ $0[path] }) { return bytes }
    let file = try OpenFile(path: path)
    // A file with holes may be said to be as long as one likes.
    guard file.size <= SourceFile.maxBytes else {
      throw ImportError(
        file: path,
        problem: "found \(file.size) bytes, at most \(SourceFile.maxBytes) are read")
    }
    let bytes = try file.read()
    opened.bytes.withLock { $0[path] = bytes }
    return bytes
  }
}
