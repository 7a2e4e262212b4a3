namespace Hadal.Parallel.Worker.Conformance;

/// <summary>An engine does not do what its interface promises.</summary>
internal sealed class ConformanceException(string message) : Exception(message);
