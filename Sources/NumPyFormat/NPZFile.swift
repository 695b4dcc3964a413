/// Named arrays as NumPy's `savez` and `savez_compressed` write them: a zip archive of .npy files.
package struct NPZFile: Sendable {
  /// The names in the archive's order; all differ.
  package let names: [String]
  private let archive: ZipArchive

  /// The most bytes, before compression, of all arrays that are read together.
  package static let maxBytes = 1 << 30

  /// The name that `savez` gives its first unnamed array.
  package static let unnamed = "arr_0"

  private static let suffix = ".npy"

  package init(_ bytes: [UInt8]) throws(NumPyError) {
    do { archive = try ZipArchive(bytes) } catch {
      throw .npz(entry: error.entry, problem: .zip(error.problem))
    }
    var names: [String] = []
    for name in archive.names {
      guard name.hasSuffix(Self.suffix) else { throw .npz(entry: name, problem: .notNPY) }
      names.append(String(name.dropLast(Self.suffix.count)))
    }
    self.names = names
  }

  /// The arrays at these indices of `names`. Their sizes are checked against `maxBytes` before any is inflated.
  package func arrays(at places: [Int]) throws(NumPyError) -> [NPYFile] {
    var room = Self.maxBytes
    for place in places {
      let size = archive.size(at: place)
      guard size <= room else {
        throw .npz(
          entry: archive.names[place], problem: .tooLarge(bytes: size, limit: Self.maxBytes))
      }
      room -= size
    }
    var arrays: [NPYFile] = []
    for place in places { arrays.append(try array(at: place)) }
    return arrays
  }

  private func array(at place: Int) throws(NumPyError) -> NPYFile {
    let content: [UInt8]
    do { content = try archive.content(at: place) } catch {
      throw .npz(entry: error.entry, problem: .zip(error.problem))
    }
    do throws(NumPyError) { return try NPYFile(content) } catch {
      throw error.inArchive(entry: archive.names[place])
    }
  }

  /// An error about the array at index `place` of `names`, as an error of the archive.
  package func failure(at place: Int, _ error: NumPyError) -> NumPyError {
    error.inArchive(entry: archive.names[place])
  }
}
