namespace Hadal.Planning.Training;

/// <summary>Something that a forecast rests on: measured, published, or assumed.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">What it is taken as.</param>
/// <param name="Source">Where that comes from; <c>assumed</c> where nothing is published.</param>
/// <param name="Otherwise">What it could be instead; null where there is nothing to vary.</param>
/// <param name="Change">By which share the device hours grow then.</param>
public sealed record Assumption(string Name, string Value, string Source, string? Otherwise = null, double? Change = null);
