import Testing

@testable import NumPyFormat
@testable import carousel

@Suite struct NPYHeaderTests {
  private func header(_ text: String) throws -> NPYHeader {
    try NPYHeader(Array(text.utf8)[...], offset: 0)
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n",
    "{'descr':'<f4','fortran_order':False,'shape':(3,4)}",
    "{\"shape\": (3, 4,), \"fortran_order\": False, \"descr\": \"<f4\"}\n",
    " { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 3 , 4 ) } ",
  ])
  func accepted(text: String) throws {
    let header = try header(text)
    #expect(header.elementType == .f32)
    #expect(header.shape == [3, 4])
  }

  @Test(arguments: [
    ("", NPYProblem.syntax(expected: "'{'")),
    ("{", .syntax(expected: "a string")),
    ("{}", .missingKey("descr")),
    ("{'descr': '<f4', 'fortran_order': False}", .missingKey("shape")),
    ("{'descr': '<f4', 'shape': (1,)}", .missingKey("fortran_order")),
    ("{'descr': '>f4'}", .elementType(">f4")),
    ("{'descr': '>i8'}", .elementType(">i8")),
    ("{'descr': '<f16'}", .elementType("<f16")),
    ("{'descr': '<c8'}", .elementType("<c8")),
    ("{'descr': '|f4'}", .elementType("|f4")),
    ("{'descr': '=f4'}", .elementType("=f4")),
    ("{'descr': '<i3'}", .elementType("<i3")),
    ("{'descr': '<U5'}", .elementType("<U5")),
    ("{'descr': '|O'}", .elementType("|O")),
    ("{'descr': [('a', '<f4')]}", .syntax(expected: "a string")),
    ("{'descr': '<f4', 'descr': '<f8'}", .key("descr")),
    ("{'evil': '__import__(1)'}", .key("evil")),
    ("{'descr", .syntax(expected: "a closing quote")),
    ("{'fortran_order': 0}", .syntax(expected: "True or False")),
    ("{'shape': (-1,)}", .syntax(expected: "a length")),
    ("{'shape': (1 2)}", .syntax(expected: "')'")),
    ("{'shape': (99999999999999999999,)}", .syntax(expected: "a length")),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000, 0)}", .emptyAxis),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
      .syntax(expected: "the header's end")
    ),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}",
      .tooManyAxes(found: 9, limit: 8)
    ),
  ])
  func refused(text: String, problem: NPYProblem) {
    #expect { try header(text) } throws: {
      guard case .npy(_, let found)? = $0 as? NumPyError else { return false }
      return found == problem
    }
  }

  @Test func errorsNameTheByte() {
    #expect(throws: NumPyError.npy(offset: 9, problem: .syntax(expected: "':'"))) {
      try NPYHeader(Array("{'shape' 1}".utf8)[...], offset: 0)
    }
  }

  @Test func anArrayOfOneAxisHasNoOrder() throws {
    #expect(try header("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}").shape == [2])
  }

  @Test(arguments: [
    ("(3, 4)", 12, 48),
    ("(1152921504606846975, 1)", 1_152_921_504_606_846_975, 4_611_686_018_427_387_900),
  ])
  func counts(shape: String, elements: Int, bytes: Int) throws {
    let counts = try header("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}").counts
    #expect(counts?.elements == elements)
    #expect(counts?.bytes == bytes)
  }

  @Test(arguments: ["(4294967296, 4294967296)", "(9223372036854775807,)"])
  func countsThatOverflow(shape: String) throws {
    #expect(try header("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}").counts == nil)
  }
}
