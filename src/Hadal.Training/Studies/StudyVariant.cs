using System.Text.Json.Nodes;
using Hadal.Training.Runs;

namespace Hadal.Training.Studies;

/// <summary>One of the things that a study compares.</summary>
/// <param name="Name">Its name, also that of its folder.</param>
/// <param name="Settings">What it changes in the base run, as the study file has it.</param>
/// <param name="Run">The base run with that change.</param>
public sealed record StudyVariant(string Name, JsonObject Settings, RunConfig Run);
