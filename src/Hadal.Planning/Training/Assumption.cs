namespace Hadal.Planning.Training;

/// <summary>Something that a forecast rests on: measured, published, or assumed.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">What it is taken as.</param>
/// <param name="Source">Where that comes from; <c>assumed</c> where nothing is published.</param>
/// <param name="Sensitivity">By which share the device hours grow if the value is a tenth larger; null where that has no meaning.</param>
public sealed record Assumption(string Name, string Value, string Source, double? Sensitivity = null);
