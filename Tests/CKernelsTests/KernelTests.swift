import CKernels
import KernelChecks
import Testing

/// Every check of `KernelChecks`, for every variant of the kernels that this CPU has.
@Suite("Kernels") struct KernelTests {
  struct Variant: CustomTestStringConvertible, Sendable {
    let isa: ck_isa
    let testDescription: String

    static let all: [Variant] = (0..<UInt32(CK_ISA_COUNT)).compactMap { code in
      // SAFETY: a table and its name live as long as the process.
      guard let kernels = unsafe ck_kernels_for(ck_isa(code)) else { return nil }
      let name = unsafe String(cString: kernels.pointee.name)
      return Variant(isa: ck_isa(code), testDescription: name)
    }
  }

  struct Check: CustomTestStringConvertible, Sendable {
    let index: Int
    let testDescription: String

    static let all = Array(
      sequence(state: 0) { index -> Check? in
        // SAFETY: a name lives as long as the process.
        guard let name = unsafe kc_check_name(index) else { return nil }
        defer { index += 1 }
        return unsafe Check(index: index, testDescription: String(cString: name))
      })
  }

  @Test("hold what is expected of them", arguments: Variant.all, Check.all)
  func hold(variant: Variant, check: Check) {
    // SAFETY: the check ends what it writes with a zero, within `message.count` bytes.
    let (holds, message) = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) {
      message in
      var digest: UInt64 = 0
      let holds = unsafe kc_check_holds(
        check.index, ck_kernels_for(variant.isa), message.baseAddress, message.count, &digest)
      return unsafe (holds, String(cString: message.baseAddress!))
    }
    #expect(holds, "\(message)")
  }
}
