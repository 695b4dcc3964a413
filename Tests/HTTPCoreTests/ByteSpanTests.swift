import Testing

@testable import HTTPCore

/// What looks at eight bytes at a time finds what a loop over bytes finds.
@Suite struct ByteSpanTests {
  @Test(arguments: [0x00, 0x0A, 0x41, 0x7F, 0x80, 0xFF] as [UInt8])
  func aByteIsFoundWhereItFirstStands(byte: UInt8) {
    // Neighbours of the byte stand around it: a borrow between bytes must not make a hit of one.
    for other in [byte &+ 1, byte &- 1, byte ^ 0x80] {
      for place in 0..<20 {
        var bytes = [UInt8](repeating: other, count: 20)
        for start in 0...20 { #expect(bytes.span.index(of: byte, from: start) == 20) }
        bytes[place] = byte
        bytes[19] = byte
        for start in 0...20 {
          let expected = start <= place ? place : start == 20 ? 20 : 19
          #expect(bytes.span.index(of: byte, from: start) == expected)
        }
      }
    }
    #expect([UInt8]().span.index(of: byte, from: 0) == 0)
  }

  @Test func everyByteThatNoFieldValueMayHoldIsFound() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<20 {
        var bytes = Array("a field's \t value éa".utf8.prefix(20))
        bytes[place] = byte
        #expect(
          bytes.span.firstNoFieldValue == (ASCII.isFieldValue(byte) ? nil : byte),
          "byte \(byte) at \(place)")
      }
    }
    #expect([UInt8]().span.firstNoFieldValue == nil)
  }
}
