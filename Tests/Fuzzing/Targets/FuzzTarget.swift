/// A reader of strangers' bytes, as a fuzzer calls it: whatever they are, it comes to an end soon, and neither crashes nor
/// takes memory out of proportion.
package struct FuzzTarget: Sendable {
  package let name: String
  /// Bytes that the reader takes, to begin with.
  package let seeds: @Sendable () -> [[UInt8]]
  /// Reads the bytes. Traps where the reader breaks a promise; what it refuses is as good as what it takes.
  package let run: @Sendable ([UInt8]) -> Void
  /// Changed inputs that `swift test` reads: a second's worth or so.
  package let changes: Int
  /// The longest input that libFuzzer makes.
  package let maxBytes: Int

  init(
    name: String, changes: Int = 300, maxBytes: Int = 4096,
    seeds: @escaping @Sendable () -> [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.name = name
    self.changes = changes
    self.maxBytes = maxBytes
    self.seeds = seeds
    self.run = run
  }

  /// The longest input of a reader of files: most seeds are shorter.
  static let fileBytes = 64 << 10

  /// A new one is a file beside this one and a row here.
  package static let all: [FuzzTarget] = [
    .http1Head, .chunked, .http1Connection, .http2, .proxyHeader, .forwarded, .gzip,
    .requestJSON, .stateToken, .sessionFile, .redis,
    .safetensors, .modelFolder, .npy, .npz, .zip,
    .onnx, .pickle, .torch, .torchScript, .exportedProgram, .keras, .textList,
  ]
}
