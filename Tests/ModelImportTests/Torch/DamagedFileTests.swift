import ModelFormat
import NumPyFormat
import TestSupport
import Testing

@testable import ModelImport

/// Files that were cut, changed or made to do harm.
@Suite struct DamagedFileTests {
  /// Changes at random: each gives a folder or an error, and no more memory than the file accounts for.
  @Test(arguments: [
    "statedict", "legacy", "pickled_tensors", "arrays2", "arrays5", "npz_compressed", "safetensors",
    "whole_module", "checkpoint",
  ])
  func changed(name: String) throws {
    let path = try TorchImportTests.request(name).files[0]
    let file = try SourceFile(path: path)
    var numbers = SeededNumbers(state: 13)
    for _ in 0..<300 {
      var bytes = file.bytes
      for _ in 0...numbers.below(8) {
        let at = numbers.below(bytes.count)
        switch numbers.below(4) {
        case 0: bytes[at] = UInt8(numbers.below(256))
        case 1: bytes[at] ^= 1 << UInt8(numbers.below(8))
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 4))
        default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 9)], at: at)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      read(bytes, path)
    }
  }

  /// The zip's directory left whole, changes in the pickle alone come further: the checksum is made again.
  @Test(arguments: ["statedict", "checkpoint", "whole_module", "nested"])
  func changedPickle(name: String) throws {
    let path = try TorchImportTests.request(name).files[0]
    let archive = try ZipArchive(try SourceFile(path: path).bytes)
    let files = try archive.names.indices.map { (archive.names[$0], try archive.content(at: $0)) }
    let place = try #require(archive.names.firstIndex { $0.hasSuffix("data.pkl") })
    var numbers = SeededNumbers(state: 7)
    for _ in 0..<400 {
      var changed = files
      for _ in 0...numbers.below(4) {
        let at = numbers.below(changed[place].1.count)
        changed[place].1[at] = UInt8(numbers.below(256))
      }
      read(zipArchive(of: changed.map { (name: $0.0, content: $0.1) }), path)
    }
  }

  private func read(_ bytes: [UInt8], _ path: String) {
    let file = SourceFile(path: path, bytes: bytes)
    guard let format = ImportFormat.all.first(where: { $0.recognises(path, bytes) }) else { return }
    _ = try? format.read(ImportRequest(files: [path]), [file])
  }

  @Test(arguments: ["statedict", "legacy", "arrays4", "npz", "safetensors"])
  func cut(name: String) throws {
    let path = try TorchImportTests.request(name).files[0]
    let file = try SourceFile(path: path)
    for count in stride(from: 0, to: file.bytes.count, by: 97) {
      let bytes = Array(file.bytes[..<count])
      guard let format = ImportFormat.all.first(where: { $0.recognises(path, bytes) }) else {
        continue
      }
      #expect(throws: ImportError.self) {
        try format.read(ImportRequest(files: [path]), [SourceFile(path: path, bytes: bytes)])
      }
    }
  }

  // MARK: Tensors that are more, or other, than their bytes

  private func tensor(
    _ shape: [Int], _ strides: [Int], offset: Int = 0, type: ElementType = .f32
  ) -> StridedTensor {
    StridedTensor(type, shape: shape, strides: strides, offset: offset, storage: .record("0"))
  }

  @Test func elementsOutsideOfTheStorageAreRefused() {
    let bytes = [UInt8](repeating: 0, count: 24)[...]
    #expect(tensor([2, 3], [3, 1]).floats(from: bytes)?.count == 6)
    #expect(tensor([2, 3], [3, 1], offset: 1).floats(from: bytes) == nil)
    #expect(tensor([2, 3], [3, 1]).floats(from: bytes.dropLast()) == nil)
    #expect(tensor([3, 2], [1, 3]).floats(from: bytes)?.count == 6)
    #expect(tensor([7], [1]).floats(from: bytes) == nil)
    #expect(tensor([1], [1], offset: -1).floats(from: bytes) == nil)
    #expect(tensor([2], [-1], offset: 1).floats(from: bytes) == nil)
    #expect(tensor([2], [.max], offset: 1).floats(from: bytes) == nil)
    #expect(tensor([.max, .max], [1, 1]).floats(from: bytes) == nil)
    #expect(tensor([-1], [1]).floats(from: bytes) == nil)
    #expect(tensor([2], [1, 1]).floats(from: bytes) == nil)
    #expect(tensor([0, 3], [1, 1]).floats(from: bytes) == [])
    #expect(tensor([0, .max], [1, 1]).floats(from: bytes) == nil)
    // An axis of one element never moves.
    #expect(tensor([1, 6], [.max, 1]).floats(from: bytes)?.count == 6)
    #expect(tensor([6, 1], [1, .max]).floats(from: bytes)?.count == 6)
    #expect(tensor([], [], offset: 5).floats(from: bytes) == [0])
    #expect(tensor([], [], offset: 6).floats(from: bytes) == nil)
  }

  @Test func everyTypeBecomesTheNearestFloat() {
    func floats(_ type: ElementType, _ bytes: [UInt8], isBigEndian: Bool = false) -> [Float]? {
      var tensor = tensor([1], [1], type: type)
      tensor.isBigEndian = isBigEndian
      return tensor.floats(from: bytes[...])
    }
    #expect(floats(.f16, [0x00, 0xBC]) == [-1])
    #expect(floats(.bf16, [0x80, 0xBF]) == [-1])
    #expect(floats(.f32, [0xBF, 0x80, 0, 0], isBigEndian: true) == [-1])
    #expect(floats(.f64, [0, 0, 0, 0, 0, 0, 0xF0, 0xBF]) == [-1])
    #expect(floats(.i8, [0xFF]) == [-1])
    #expect(floats(.u8, [0xFF]) == [255])
    #expect(floats(.i16, [0xFE, 0xFF]) == [-2])
    #expect(floats(.i32, [0xFE, 0xFF, 0xFF, 0xFF]) == [-2])
    #expect(floats(.i64, [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == [-2])
    #expect(floats(.bool, [3]) == [1])
    #expect(floats(.c64, [0, 0, 0, 0, 0, 0, 0, 0]) == nil)
  }

  /// A file of some bytes whose tensor would be an element again and again.
  @Test func oneElementWithoutEnd() throws {
    let path = try TorchImportTests.request("statedict").files[0]
    let archive = try ZipArchive(try SourceFile(path: path).bytes)
    let large = "\u{8A}\u{05}\0\0\0\0\u{10}"  // 2³⁶
    let pickle =
      "\u{80}\u{02}}X\u{01}\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\u{07}\0\0\0storagectorch\n"
      + "FloatStorage\nX\u{01}\0\0\00X\u{03}\0\0\0cpuK\u{01}tQK\0\(large)\u{85}K\0\u{85}\u{89}}tRs."
    let files = archive.names.indices.map { place in
      let name = archive.names[place]
      let content =
        name.hasSuffix("data.pkl")
        ? pickle.unicodeScalars.map { UInt8($0.value) } : (try? archive.content(at: place)) ?? []
      return (name: name, content: content)
    }
    let file = SourceFile(path: path, bytes: zipArchive(of: files))
    let error = try #require(throws: ImportError.self) {
      try WeightFormats.torch.read(ImportRequest(files: [path]), [file])
    }
    #expect(error.place == "w" && error.problem.contains("68719476736"))
  }

  @Test func weightsThatAreNoNumbersAreNamed() throws {
    var table = WeightTable(file: "w.pt")
    table.weights = [
      .init(name: "lstm.weight_ih_l0", shape: [4, 1], floats: [1, 2, 3, 4]),
      .init(name: "lstm.weight_hh_l0", shape: [4, 1], floats: [1, .nan, 3, 4]),
    ]
    let error = try #require(throws: ImportError.self) {
      try WeightsImport(request: ImportRequest(files: ["w.pt"])).draft([("w", table)])
    }
    #expect(error.place == "lstm.weight_hh_l0" && error.problem.contains("nan"))
  }
}

extension SeededNumbers {
  /// A number from 0 to `bound` - 1.
  fileprivate mutating func below(_ bound: Int) -> Int { Int(next()) % bound }
}
