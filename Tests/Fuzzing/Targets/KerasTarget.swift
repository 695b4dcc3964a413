import NumPyFormat

extension FuzzTarget {
  /// The description of a Keras model's layers: the name of a fixture in a line, and JSON. The weights are the fixture's, as
  /// libhdf5 is not to be trusted with a stranger's file, and never reads one outside of the confined child.
  static let keras = FuzzTarget(name: "keras", changes: 100, maxBytes: fileBytes) {
    archives.keys.sorted().map { name in
      Array("\(name)\n".utf8) + (content("config.json", of: name) ?? [])
    }
  } run: { bytes in
    let line = bytes.prefix { $0 != 0x0A }
    var name = String(decoding: line, as: UTF8.self)
    if archives[name] == nil { name = "plain" }
    guard let metadata = content("metadata.json", of: name),
      let weights = content("model.weights.h5", of: name)
    else { preconditionFailure("\(name) is no Keras model") }
    importFolder(
      zipArchive(
        of: [
          ("metadata.json", metadata), ("config.json", Array(bytes.dropFirst(line.count + 1))),
          ("model.weights.h5", weights),
        ]), named: "model.keras")
  }

  private static let archives: [String: ZipArchive] = {
    let names = [
      "plain", "attention", "autoencoder", "bidirectional", "convolutions", "dot", "embedding",
      "flatten", "frames", "functions", "lengths", "masked_steps", "merges", "nested",
      "normalization", "norms", "permute", "pools", "reshape", "rnn", "states", "time_distributed",
      "keras2_nested", "keras2_recurrent",
    ]
    return Dictionary(
      uniqueKeysWithValues: names.compactMap { name in
        (try? ZipArchive(Seeds.fixture("keras/\(name).keras"))).map { (name, $0) }
      })
  }()

  private static func content(_ file: String, of name: String) -> [UInt8]? {
    guard let archive = archives[name], let place = archive.names.firstIndex(of: file) else {
      return nil
    }
    return try? archive.content(at: place)
  }
}
