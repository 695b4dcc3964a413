import Cryptography
import Glibc
import JSON
import ModelFormat
import Serving

/// Imports a model file (.onnx, .keras, .h5, .pt, …) to a model folder in a cache, by running `carousel-import`. The same file
/// with the same options is imported once.
struct ModelFileImport {
  /// The path of `carousel-import`.
  let importer: String
  /// The cache's folder.
  let cache: String
  /// How long an import may take.
  var timeout = Duration.seconds(900)

  /// The import for this process: with the program beside this one or on the PATH, and the cache where the XDG Base Directory
  /// Specification puts it.
  static func here(file: String) throws(CarouselError) -> ModelFileImport {
    guard let importer = importerPath() else { throw .noImporter(file: file) }
    guard let cache = cachePath() else { throw .noCache(file: file) }
    return ModelFileImport(importer: importer, cache: "\(cache)/carousel/models")
  }

  /// The model folder of the file at `path`, imported with `options` unless the cache has it. Prints its path and the importer's
  /// notes each time: a guess stays one.
  func folder(
    of path: String, _ options: ImportOptions? = nil
  ) throws(CarouselError) -> String {
    let (folder, notes) = try imported(path, options)
    for note in notes { printToStandardError("\(path): \(note)") }
    printToStandardError("\(path): the model folder is \(folder)")
    return folder
  }

  /// The folder in the cache, and the importer's notes, which the folder keeps.
  func imported(
    _ path: String, _ options: ImportOptions? = nil
  ) throws(CarouselError) -> (folder: String, notes: [String]) {
    let target = "\(cache)/\(try key(of: path, options))"
    if isModelFolder(target), let text = try? readFile("\(target)/\(Self.notesFile)"),
      isCurrent(target)
    {
      return (target, String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init))
    }
    try makeFolder(cache)
    let partial = "\(target).\(getpid()).partial"
    let result: ChildProcess.Result
    do {
      result = try ChildProcess.run(
        importer, [path, "--output", partial, "--list-files"] + (options?.arguments ?? []),
        timeout: timeout)
    } catch { throw .file(path: importer, code: error.code) }
    guard result.ending == .exited(0) else {
      remove(partial)
      throw .notImported(path: path, reason: result.reason)
    }
    let lines = result.output.split(separator: "\n")
    func rest(_ start: String) -> [String] {
      lines.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    }
    let notes = rest("note: ")
    var read = ""
    for file in rest("read: ") { read += "\(try hash(of: file)) \(file)\n" }
    do {
      for (name, text) in [
        (Self.notesFile, notes.joined(separator: "\n")), (Self.hashesFile, read),
      ] {
        try OpenFile.write(Array(text.utf8), to: "\(partial)/\(name)")
      }
    } catch {
      remove(partial)
      guard case .system(_, let path, let code) = error else { preconditionFailure("\(error)") }
      throw .file(path: path, code: code)
    }
    if isModelFolder(target), !isCurrent(target) { remove(target) }
    // SAFETY: the paths are zero-terminated strings for the length of the call.
    if unsafe rename(partial, target) != 0 {
      let code = errno
      remove(partial)
      // Another process may have imported the same file meanwhile; its folder is used.
      guard isModelFolder(target) else { throw .file(path: target, code: code) }
    }
    return (target, notes)
  }

  private static let notesFile = "notes.txt"
  /// The further files that the model's file names, each behind its hash.
  private static let hashesFile = "read.txt"

  private func hash(of file: String) throws(CarouselError) -> String {
    let bytes = try readFile(file)
    return Digest.hash(bytes.span).map { $0.hexadecimal() }.joined()
  }

  /// Whether the further files that a folder was made of are as they were.
  private func isCurrent(_ folder: String) -> Bool {
    guard let text = try? readFile("\(folder)/\(Self.hashesFile)") else { return false }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").allSatisfy { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      return parts.count == 2 && (try? hash(of: String(parts[1]))) == String(parts[0])
    }
  }

  /// The folder's name in the cache: the file's name, for people, and a hash of the file's content, the options, their
  /// files and the program.
  private func key(
    of path: String, _ options: ImportOptions?
  ) throws(CarouselError) -> String {
    var hashes: [UInt8] = []
    for file in [path, importer] + (options?.files ?? []) {
      let bytes = try readFile(file)
      hashes += Digest.hash(bytes.span)
    }
    for argument in options?.arguments ?? [] { hashes += Digest.hash(Array(argument.utf8).span) }
    let stem = path.split(separator: "/").last?.split(separator: ".").first ?? "model"
    hashes += stem.utf8
    let digits = Digest.hash(hashes.span).prefix(16).map { $0.hexadecimal() }
    let name = stem.unicodeScalars.prefix(40).map { scalar in
      let isPlain = scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      return scalar.isASCII && isPlain ? Character(scalar) : "-"
    }
    return "\(String(name))-\(digits.joined())"
  }

  private func makeFolder(_ path: String) throws(CarouselError) {
    var end = path.startIndex
    while end < path.endIndex {
      end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
      let folder = String(path[..<end])
      // SAFETY: the path is a zero-terminated string for the length of the call.
      guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
        throw .file(path: folder, code: errno)
      }
    }
  }

  /// Removes a partial folder and the files in it.
  private func remove(_ folder: String) {
    for name in [Model.descriptionFile, Model.tensorFile, Self.notesFile, Self.hashesFile] {
      OpenFile.remove("\(folder)/\(name)")
    }
    // SAFETY: the path is a zero-terminated string for the length of the call.
    unsafe rmdir(folder)
  }

  private static let program = "carousel-import"

  private static func importerPath() -> String? {
    var places: [String] = []
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    // SAFETY: writes at most as many bytes as `buffer` holds.
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    if count > 0 {
      let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if let slash = own.lastIndex(of: "/") { places.append(String(own[..<slash])) }
    }
    places += (environment("PATH") ?? "").split(separator: ":").map(String.init)
    // SAFETY: the path is a zero-terminated string for the length of the call.
    return places.map { "\($0)/\(program)" }.first { unsafe access($0, X_OK) == 0 }
  }

  private static func cachePath() -> String? {
    if let path = environment("XDG_CACHE_HOME"), path.hasPrefix("/") { return path }
    return environment("HOME").flatMap { $0.hasPrefix("/") ? "\($0)/.cache" : nil }
  }

  private static func environment(_ name: String) -> String? {
    // SAFETY: the value is copied at once, and nothing here changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}

/// Whether `path` is a regular file, which may be a model to import.
func isFile(_ path: String) -> Bool {
  var status = stat()
  // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
