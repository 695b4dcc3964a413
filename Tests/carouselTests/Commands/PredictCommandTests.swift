import Glibc
import ModelFormat
import Testing

@testable import carousel

@Suite struct PredictCommandTests {
  private func command(_ arguments: [String]) throws -> PredictCommand {
    try #require(try PredictCommand.parseAsRoot(["folder"] + arguments) as? PredictCommand)
  }

  @Test func options() throws {
    let plain = try command([])
    #expect(plain.input == "-" && plain.outputs == nil && plain.horizon == nil)
    #expect(plain.precision == nil)
    let full = try command([
      "--input", "x.npy", "--outputs", "all", "--horizon", "3", "--precision", "f16",
    ])
    #expect(full.input == "x.npy" && full.outputs == .all && full.horizon == 3)
    #expect(full.precision == .f16)
  }

  /// Before the model is read, let alone asked.
  @Test func aFileThatCannotBeWrittenIsRefusedFirst() throws {
    for path in ["/nonexistent/y.npy", "/proc/y.npz"] {
      #expect {
        try command(["--output", path]).run()
      } throws: { error in
        guard case ModelError.system("create", let found, _) = error else { return false }
        return found.hasPrefix(path)
      }
    }
    let tree = try FileTree(["y.npz/x": ""])
    #expect(throws: ModelError.system("write", path: "\(tree.path)/y.npz", code: EISDIR)) {
      try OpenFile.checkWritable("\(tree.path)/y.npz")
    }
    try OpenFile.checkWritable("\(tree.path)/z.npz")
    // It leaves nothing behind, and what is there as it is.
    try OpenFile.checkWritable("\(tree.path)/y.npz/x")
    #expect(try readFile("\(tree.path)/y.npz/x") == [])
  }

  /// Of the environment, the key alone is looked at.
  @Test func stateKey() throws {
    let key = "0123456789abcdef"
    let environment = ["CAROUSEL_STATE_KEY": key, "CAROUSEL_PORT": "x", "CAROUSEL_PROT": "1"]
    #expect(try PredictCommand.stateKey(in: environment) == Array(key.utf8))
    #expect(try PredictCommand.stateKey(in: ["CAROUSEL_PORT": "x"]) == nil)
    #expect(throws: CarouselError.self) {
      try PredictCommand.stateKey(in: ["CAROUSEL_STATE_KEY": "short"])
    }
  }
}
