import API
import HTTPServer
import Scheduling
import Testing

@testable import carousel

@Suite struct SettingsModulesTests {
  /// The table's defaults are the modules' own, so that a test of a module speaks of what is served.
  @Test func defaultsAreTheModules() throws {
    let settings = try Settings()
    // But for threads: those are one for each core that the process may use, which the modules do not know.
    let cores = AvailableCores().count
    #expect(settings.modules.engine == EngineLimits(workers: cores))
    #expect(settings.precision == nil)

    let (service, ownService) = (settings.modules.service, ServiceSettings())
    #expect(service.questions.maxSequencesPerRequest == ownService.questions.maxSequencesPerRequest)
    #expect(service.questions.maxSequenceSteps == ownService.questions.maxSequenceSteps)
    #expect(service.questions.maxHorizon == ownService.questions.maxHorizon)
    #expect(service.maxInlineBytes == ownService.maxInlineBytes)
    #expect(service.maxAnswerBytes == ownService.maxAnswerBytes)
    #expect(service.maxDecodingOperations == ownService.maxDecodingOperations)
    #expect((1...(1 << 30)).contains(settings.memoryLimit))
    #expect(service.stateKey == nil && ownService.stateKey == nil)
    #expect(service.sessions == ownService.sessions)
    #expect(service.operatorKey == nil && ownService.operatorKey == nil)

    let (server, ownServer) = (settings.modules.server, HTTPServerSettings())
    #expect(server.port == ownServer.port)
    #expect(server.loops == cores)
    #expect(server.maxConnections == ownServer.maxConnections)
    #expect(server.headTimeout == ownServer.headTimeout)
    #expect(server.bodyTimeout == ownServer.bodyTimeout)
    #expect(server.idleTimeout == ownServer.idleTimeout)
    #expect(server.writeTimeout == ownServer.writeTimeout)
    #expect(server.minUploadRate == ownServer.minUploadRate)
    #expect(server.minDownloadRate == ownServer.minDownloadRate)
    #expect(server.http1 == ownServer.http1)
    #expect(server.http2 == ownServer.http2)
    #expect(server.contentCoding == ownServer.contentCoding)
  }

  @Test func valuesArrive() throws {
    let settings = try Settings(commandLine: [
      .host: "::1", .port: "1", .loops: "2", .workers: "3", .maxSeats: "3",
      .maxQueuedSequences: "4",
      .maxQueuedSteps: "5", .maxSequenceSteps: "6", .maxSequencesPerRequest: "7", .maxHorizon: "8",
      .maxBodyBytes: "128 MiB", .maxInlineBytes: "10",
      .maxMemoryBytes: "1000", .maxAnswerBytes: "1 KiB",
      .maxDecodingOperations: "25",
      .maxHeadBytes: "300", .maxConnections: "11", .maxTargetBytes: "64", .maxFields: "22",
      .maxConcurrentStreams: "23", .streamWindowBytes: "2 MiB", .maxGenerationSteps: "24",
      .drainGraceSeconds: "3", .drainSeconds: "2",
      .headTimeoutSeconds: "0.5", .bodyTimeoutSeconds: "12", .idleTimeoutSeconds: "13",
      .writeTimeoutSeconds: "14", .minUploadRate: "21", .minDownloadRate: "0",
      .compressMinBytes: "15", .gzipLevel: "9",
      .maxInflatedBytes: "17", .maxInflateRatio: "18",
      .stateKey: "0123456789abcdef", .maxSessionBytes: "19 KiB", .sessionIdleSeconds: "2.5",
      .maxSessionWaiters: "20", .operatorKey: "fedcba9876543210",
    ])
    #expect(
      settings.modules.engine
        == EngineLimits(workers: 3, maxSeats: 3, maxQueuedSequences: 4, maxQueuedSteps: 5))
    let service = settings.modules.service
    #expect(service.questions.maxSequenceSteps == 6)
    #expect(service.questions.maxSequencesPerRequest == 7)
    #expect(service.questions.maxHorizon == 8)
    #expect(service.questions.maxGenerationSteps == 24)
    #expect(service.maxInlineBytes == 10)
    #expect(service.maxAnswerBytes == 1024 && service.maxDecodingOperations == 25)
    #expect(settings.memoryLimit == 1000)
    #expect(service.stateKey == Array("0123456789abcdef".utf8))
    #expect(
      service.sessions
        == SessionLimits(maxBytes: 19 << 10, idleTimeout: .milliseconds(2500), maxWaiters: 20))
    #expect(service.operatorKey == Array("fedcba9876543210".utf8))
    #expect(service.version == CarouselCommand.version)
    let server = settings.modules.server
    #expect(server.address == "::1")
    #expect(server.port == 1)
    #expect(server.loops == 2)
    #expect(server.maxConnections == 11)
    #expect(server.headTimeout == .milliseconds(500))
    #expect(server.bodyTimeout == .seconds(12))
    #expect(server.idleTimeout == .seconds(13))
    #expect(server.writeTimeout == .seconds(14))
    #expect(server.minUploadRate == 21)
    #expect(server.minDownloadRate == 0)
    #expect(server.http1.maxBodyBytes == 128 << 20)
    #expect(server.http2.maxBodyBytes == 128 << 20)
    #expect(server.http2.maxIncompleteBytes == 128 << 20)
    #expect(server.http1.maxTargetBytes == 64 && server.http2.maxTargetBytes == 64)
    #expect(server.http1.maxFields == 22 && server.http2.maxFields == 22)
    #expect(server.http2.maxConcurrentStreams == 23)
    #expect(server.http2.windowBytes == 2 << 20)
    // No drain is shorter than what idle connections get of it.
    #expect(server.drainGrace == .seconds(2))
    #expect(server.http1.maxHeadBytes == 300)
    #expect(server.http2.maxHeadBytes == 300)
    #expect(server.http2.maxUnpackedHeadBytes == HTTPServerSettings().http2.maxUnpackedHeadBytes)
    #expect(server.contentCoding.minCompressBytes == 15)
    #expect(server.contentCoding.gzipLevel == 9)
    #expect(server.contentCoding.maxInflatedBytes == 17)
    #expect(server.contentCoding.maxInflateRatio == 18)
  }

  /// A head that `max_head_bytes` lets in is not too long to be unpacked.
  @Test func headsThatMayBeLargeAreUnpacked() throws {
    let file = try SettingsFile(Array(#"{"max_head_bytes": "1 MiB"}"#.utf8), path: "c.json")
    let http2 = try Settings(file: file).modules.server.http2
    #expect(http2.maxHeadBytes == 1 << 20 && http2.maxUnpackedHeadBytes == 2 << 20)
  }

  /// Bodies on their way may take what is set, or what one of them may, where that is more.
  @Test(arguments: [("127 MiB", 128), ("128 MiB", 128), ("129 MiB", 129)])
  func incompleteBytes(text: String, expected: Int) throws {
    let settings = try Settings(
      commandLine: [.maxBodyBytes: "128 MiB", .maxIncompleteBytes: text])
    #expect(settings.modules.server.http2.maxIncompleteBytes == expected << 20)
  }

  @Test func precisionFromEverySource() throws {
    let file = try SettingsFile(Array(#"{"precision": "f16"}"#.utf8), path: "c.json")
    #expect(try Settings(file: file).precision == .f16)
    let environment = ["CAROUSEL_PRECISION": "int8"]
    #expect(try Settings(environment: environment, file: file).precision == .int8)
    #expect(try Settings(environment: ["CAROUSEL_PRECISION": ""], file: file).precision == .f16)
    #expect(try Settings(commandLine: [.precision: ""], file: file).precision == nil)
    let options = try SettingOptions.parse(["--precision", "f32"])
    #expect(try Settings(commandLine: options.given, environment: environment).precision == .f32)
    #expect { try SettingOptions.parse(["--precision", "f64"]).checkGiven() } throws: {
      "\($0)".contains(
        "--precision (command line): found \"f64\", expected f32 or f16 or int8")
    }
  }

  @Test func logging() throws {
    let handler = try Settings(commandLine: [.logLevel: "error", .logFormat: "json"]).logHandler
    #expect(handler.logLevel == .error)
    #expect(handler.format == .json)
  }
}
