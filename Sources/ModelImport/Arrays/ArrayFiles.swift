import ModelFormat
import NumPyFormat

extension WeightTable {
  /// The arrays of an .npz file; arrays without numbers are skipped.
  init(npz file: SourceFile) throws(ImportError) {
    self.init(file: file.path)
    let archive: NPZFile
    do { archive = try NPZFile(file.bytes) } catch {
      throw ImportError(file: file.path, problem: "\(error)", remedy: Remedy.incomplete)
    }
    var room = Self.maxElements(fileBytes: file.bytes.count)
    var passedOver: [String] = []
    for (place, name) in archive.names.enumerated() {
      let array: NPYFile
      do { array = try archive.arrays(at: [place])[0] } catch {
        guard case .npz(_, .array(_, let problem)) = error, Self.isOther(problem) else {
          throw ImportError(file: file.path, error)
        }
        passedOver.append(name)
        continue
      }
      let header = array.header
      let tensor = StridedTensor(
        header.elementType, shape: header.shape, storage: .record(name))
      room -= tensor.elementCount ?? .max
      guard room >= 0, let floats = tensor.floats(from: array.rowMajor) else {
        throw ImportError(
          file: file.path, place: name,
          problem: "found an array of shape \(header.shape), more than a file of this size may hold"
        )
      }
      weights.append(
        .init(
          name: name, shape: header.shape, floats: floats,
          isWhole: !header.elementType.isConvertible))
    }
    if !passedOver.isEmpty { notes.append("no numbers, passed over: \(excerpt(passedOver))") }
  }

  /// Whether the array can be skipped: it holds texts or objects, or is empty, but is not damaged.
  private static func isOther(_ problem: NPYProblem) -> Bool {
    switch problem {
    case .elementType, .emptyAxis: true
    case .notNPY, .version, .truncated, .headerTooLong, .syntax, .key, .missingKey, .shapeTooLarge,
      .tooManyAxes, .trailingBytes, .notFinite, .notWhole, .tokenRange:
      false
    }
  }

  /// The tensors of a safetensors file; types that can't be converted to floats are skipped.
  init(safetensors file: SourceFile) throws(ImportError) {
    self.init(file: file.path)
    isOrdered = false
    let tensors: TensorFile
    do { tensors = try TensorFile(bytes: file.bytes) } catch {
      var refusal = ImportError(file: file.path, error)
      refusal.remedy = Remedy.incomplete
      throw refusal
    }
    var passedOver: [String] = []
    for name in tensors.names {
      guard let shape = tensors.shape(of: name), let type = tensors.dtype(of: name),
        type.isConvertible
      else {
        if let type = tensors.dtype(of: name), type.rawValue.hasPrefix("F") || type == .c64 {
          unread.append((name, "a tensor of \(type.rawValue)"))
        }
        passedOver.append(name)
        continue
      }
      do {
        weights.append(.init(name: name, shape: shape, floats: try tensors.floats(name)))
      } catch {
        throw ImportError(file: file.path, error)
      }
    }
    if !passedOver.isEmpty { notes.append("not of floats, passed over: \(excerpt(passedOver))") }
  }
}
