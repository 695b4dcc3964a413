import JSON
import ModelFormat
import NumPyFormat

extension SourceTensor {
  /// A NumPy array.
  package init(npy file: SourceFile) throws(ImportError) {
    let array: NPYFile
    do { array = try NPYFile(file.bytes) } catch { throw ImportError(file: file.path, error) }
    try self.init(array, file: file.path)
  }

  /// The array of a file, whose name is nil, or those of an .npz archive.
  package static func arrays(
    _ file: SourceFile
  ) throws(ImportError) -> [(name: String?, tensor: SourceTensor)] {
    guard ForeignFile(file.bytes.span) == .npz else { return [(nil, try SourceTensor(npy: file))] }
    let names: [String]
    let arrays: [NPYFile]
    do {
      let archive = try NPZFile(file.bytes)
      names = archive.names
      arrays = try archive.arrays(at: Array(names.indices))
    } catch { throw ImportError(file: file.path, error) }
    var tensors: [(name: String?, tensor: SourceTensor)] = []
    for (name, array) in zip(names, arrays) {
      tensors.append((name, try SourceTensor(array, file: file.path)))
    }
    return tensors
  }

  private init(_ array: NPYFile, file: String) throws(ImportError) {
    let type = Self.type(array.header.elementType)
    let data = array.rowMajor
    guard let type, array.header.shape.reduce(1, *) <= Self.maxElements else {
      throw ImportError(
        file: file,
        problem:
          "found an array of \(array.header.shape), expected numbers, at most \(Self.maxElements)")
    }
    let size = type.size
    var elements: [Double] = []
    for start in stride(from: data.startIndex, to: data.endIndex, by: size) {
      var word: UInt64 = 0
      for index in 0..<size { word |= UInt64(data[start + index]) << UInt64(8 * index) }
      elements.append(type.number(word))
    }
    self.init(shape: array.header.shape, kind: type.kind, elements: elements)
  }

  private static func type(_ type: ElementType) -> ONNXElementType? {
    switch type {
    case .f16: .float16
    case .f32: .float
    case .f64: .double
    case .bf16: .bfloat16
    case .bool: .bool
    case .u8: .uint8
    case .u16: .uint16
    case .u32: .uint32
    case .u64: .uint64
    case .i8: .int8
    case .i16: .int16
    case .i32: .int32
    case .i64: .int64
    default: nil
    }
  }
}

extension GraphTranslation.Options {
  /// Parses options about a model's inputs: `NAME=NUMBER` or `NAME=FILE.npy`, and `NAME=SIZE,SIZE`.
  package init(_ request: ImportRequest) throws(ImportError) {
    self.init()
    func parts(_ text: String) throws(ImportError) -> (String, String) {
      guard let at = text.lastIndex(of: "="), text.index(after: at) < text.endIndex else {
        throw ImportError(
          file: text,
          problem:
            "found \(text.contains("=") ? "nothing behind" : "no") \"=\", expected NAME=VALUE")
      }
      return (String(text[..<at]), String(text[text.index(after: at)...]))
    }
    for text in request.fixedInputs {
      let (name, value) = try parts(text)
      if let number = Double(value) {
        fixed[name] = SourceTensor(shape: [], elements: [number])
      } else {
        fixed[name] = try SourceTensor(npy: SourceFile(path: value))
      }
    }
    for text in request.shapes {
      let (name, value) = try parts(text)
      let sizes = value.split(separator: ",").map { Int($0) ?? -1 }
      guard !sizes.isEmpty, sizes.allSatisfy({ (0...1 << 22).contains($0) }) else {
        throw ImportError(
          file: text,
          problem: "found \"\(value)\", expected sizes such as 1,512, or 0 for one that stays open")
      }
      shapes[name] = sizes
    }
    keepsStates = request.keepsStates
  }

  /// Checks that the options are about inputs that the model has.
  func checkNames(_ inputs: [String]) throws(ImportError) {
    for (option, names) in [("--shape", shapes.keys.sorted()), ("--set", fixed.keys.sorted())] {
      guard let name = names.first(where: { !inputs.contains($0) }) else { continue }
      throw ImportError(
        file: "",
        problem: "found \(option) for \(name.jsonExcerpt), expected an input of the model: "
          + excerpt(inputs.map(\.jsonExcerpt)))
    }
  }
}
