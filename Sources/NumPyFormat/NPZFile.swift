/// Arrays with names, as NumPy's `savez` and `savez_compressed` save them: a zip archive of .npy files.
package struct NPZFile: Sendable {
  /// In the archive's order; no name twice.
  package let names: [String]
  private let archive: ZipArchive

  /// What the arrays that are read may come to together when they are inflated.
  package static let maxBytes = 1 << 30

  /// What `savez` calls the first array that it is given without a name.
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

  /// The arrays at places of `names`; nothing is inflated before all are known to fit.
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

  /// An error of one array, as one of the archive.
  package func failure(at place: Int, _ error: NumPyError) -> NumPyError {
    error.inArchive(entry: archive.names[place])
  }
}
