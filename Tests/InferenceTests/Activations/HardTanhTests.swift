import Glibc
import ModelFormat
import Testing

@Suite struct HardTanhTests {
  @Test func isAsPyTorchHasIt() throws {
    try ActivationModel.expect(.hardTanh, digest: 0x2273_931a_6de2_4ea2) { min(max($0, -1), 1) }
  }
}
