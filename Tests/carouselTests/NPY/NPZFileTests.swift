import Inference
import TestSupport
import Testing

@testable import carousel

@Suite struct NPZFileTests {
  private static let one = NPYFileTests.file(NPYFileTests.float, NPYFileTests.twoFloats)
  private static let two = NPYFileTests.file(NPYFileTests.header("|u1", "(3,)"), [7, 8, 9])
  private static let archive = zipArchive(of: [("a.npy", one), ("b/c.npy", two)])

  /// What `numpy.savez_compressed(f, x=numpy.arange(3, dtype="u1"))` of NumPy 2 wrote: 64-bit sizes in the local header,
  /// deflated.
  private static let compressed: [UInt8] = [
    0x50, 0x4B, 0x03, 0x04, 0x2D, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00,
    0x48, 0xEA, 0x66, 0xEC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x05, 0x00,
    0x14, 0x00, 0x78, 0x2E, 0x6E, 0x70, 0x79, 0x01, 0x00, 0x10, 0x00, 0x83, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x47, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x9B,
    0xEC, 0x17, 0xEA, 0x1B, 0x10, 0xC9, 0xC8, 0x50, 0xC6, 0x50, 0xAD, 0x9E, 0x92, 0x5A,
    0x9C, 0x5C, 0xA4, 0x6E, 0xA5, 0xA0, 0x5E, 0x53, 0x6A, 0xA8, 0xAE, 0xA3, 0xA0, 0x9E,
    0x96, 0x5F, 0x54, 0x52, 0x94, 0x98, 0x17, 0x9F, 0x5F, 0x94, 0x92, 0x0A, 0x12, 0x77,
    0x4B, 0xCC, 0x29, 0x4E, 0x05, 0x8A, 0x17, 0x67, 0x24, 0x16, 0xA4, 0x02, 0xF9, 0x1A,
    0xC6, 0x3A, 0x9A, 0x3A, 0x0A, 0xB5, 0x0A, 0x14, 0x00, 0x2E, 0x06, 0x46, 0x26, 0x00,
    0x50, 0x4B, 0x01, 0x02, 0x2D, 0x03, 0x2D, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x21, 0x00, 0x48, 0xEA, 0x66, 0xEC, 0x47, 0x00, 0x00, 0x00, 0x83, 0x00, 0x00, 0x00,
    0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x78, 0x2E, 0x6E, 0x70, 0x79, 0x50, 0x4B, 0x05, 0x06, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x33, 0x00, 0x00, 0x00, 0x7E, 0x00, 0x00,
    0x00, 0x00, 0x00,
  ]

  /// All arrays of an archive, in its order.
  private func texts(_ bytes: [UInt8]) throws(CarouselError) -> [String] {
    let file = try NPZFile(bytes)
    return try file.texts(of: Array(file.names.indices)) { (_, array) throws(CarouselError) in
      try array.json()
    }
  }

  private func problem(_ bytes: [UInt8]) -> NPZProblem? {
    do throws(CarouselError) {
      _ = try texts(bytes)
      return nil
    } catch {
      guard case .badNPZ(_, let problem) = error else { return nil }
      return problem
    }
  }

  @Test func whatIsWrittenIsRead() throws {
    #expect(try NPZFile(Self.archive).names == ["a", "b/c"])
    #expect(try texts(Self.archive) == ["[1.0,-2.5]", "[7,8,9]"])
    #expect(try NPZFile(zipArchive(of: [])).names.isEmpty)
  }

  @Test func whatNumPyCompressesIsRead() throws {
    #expect(try NPZFile(Self.compressed).names == ["x"])
    #expect(try texts(Self.compressed) == ["[0,1,2]"])
  }

  /// Cut off anywhere it is no archive any more.
  @Test(arguments: [archive, compressed])
  func everyTruncationIsRefused(archive: [UInt8]) {
    for count in 0..<archive.count {
      #expect(throws: CarouselError.self) { try texts(Array(archive[..<count])) }
    }
  }

  /// Changed anywhere it is refused, or read as it was: not every byte of an archive means something.
  @Test(arguments: [archive, compressed])
  func noChangeIsReadAsOtherNumbers(archive: [UInt8]) throws {
    let expected = try texts(archive)
    for index in archive.indices {
      for change in [1, 0x80, 0xFF] as [UInt8] {
        var changed = archive
        changed[index] ^= change
        if let found = try? texts(changed) {
          #expect(Set(found).isSubset(of: expected), "byte \(index)")
        }
      }
    }
  }

  @Test func othersAreNamed() {
    #expect(problem(zipArchive(of: [("a.txt", Self.one)])) == .notNPY)
    #expect(problem(zipArchive(of: [("a.npy", Self.one), ("a.npy", Self.two)])) == .twice)
    #expect(problem(Array("PK\u{3}\u{4}".utf8)) == .noDirectory)
    var damaged = Self.archive
    damaged[30 + 5 + 20 + Self.one.count - 1] ^= 1
    #expect(problem(damaged) == .checksum)
    let notFinite = NPYFileTests.file(
      NPYFileTests.header("<f4", "(1,)"), [0, 0, 0x80, 0x7F])
    #expect(
      problem(zipArchive(of: [("a.npy", notFinite)]))
        == .array(offset: notFinite.count - 4, .notFinite(element: 0)))
  }

  // MARK: - Output

  private func arrays(_ rows: [Int?], isBatch: Bool = true) -> OutputArrays {
    OutputArrays(
      named: ["y"],
      rows.enumerated().map { number, rows in
        Prediction(outputs: [
          .init(
            rows: rows, size: 2,
            values: (0..<2 * (rows ?? 1)).map { Float(10 * number + $0) })
        ])
      }, isBatch: isBatch)
  }

  @Test func answersAreArrays() throws {
    #expect(arrays([3], isBatch: false).arrays.map(\.shape) == [[3, 2]])
    #expect(arrays([nil], isBatch: false).arrays.map(\.shape) == [[2]])
    #expect(arrays([nil, nil]).arrays.map(\.shape) == [[2, 2]])
    #expect(arrays([3, 3]).arrays.map(\.shape) == [[2, 3, 2]])
    let ragged = arrays([1, 2])
    #expect(ragged.arrays.map(\.shape) == [[1, 2], [2, 2]])
    #expect(ragged.arrays.map(\.name) == ["y.0", "y.1"])
    let file = try NPYFile(arrays([2], isBatch: false).file(named: "y.npy"))
    #expect(try file.json() == "[[0.0,1.0],[2.0,3.0]]")
    let archive = try texts(try ragged.file(named: "y.npz"))
    #expect(
      archive == [
        "[[0.0,1.0]]", "[[10.0,11.0],[12.0,13.0]]",
      ])
    #expect(throws: CarouselError.manyArrays(path: "y.npy", names: ["y.0", "y.1"])) {
      try ragged.file(named: "y.npy")
    }
  }
}
