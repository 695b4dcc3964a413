import ConfinementChecks
import Glibc
import Testing

@Suite struct ConfinementTests {
  /// On a kernel that has landlock (5.13), as all do that are kept up.
  @Test func aConfinedProcessReadsWhatWasNamedWritesItsFolderAndDoesNoMore() throws {
    var template = Array("/tmp/carousel-confinement-XXXXXX".utf8CString)
    try #require(template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) } != nil)
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for name in ["named", "elsewhere"] {
      fclose(fopen("\(folder)/\(name)", "w"))
    }
    mkdir("\(folder)/output", 0o755)
    defer {
      for name in ["output/x", "named", "elsewhere"] { unlink("\(folder)/\(name)") }
      rmdir("\(folder)/output")
      rmdir(folder)
    }
    #expect(
      confinement_attempts("\(folder)/named", "\(folder)/output", "\(folder)/elsewhere") == 0)
    #expect(access("\(folder)/output/x", F_OK) == 0)
    #expect(access("\(folder)/elsewhere", F_OK) == 0)
  }
}
