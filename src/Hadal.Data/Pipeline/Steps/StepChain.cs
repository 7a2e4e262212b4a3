using System.Diagnostics;
using System.Text;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Takes the documents of one part through several steps, and counts. Serves one task.</summary>
/// <param name="steps">In their order.</param>
/// <param name="removed">Gets a line for each document that is dropped.</param>
/// <param name="samples">Gets examples.</param>
/// <param name="exports">Gets what goes on behind each step.</param>
internal sealed class StepChain(IReadOnlyList<IDocumentStep> steps, JsonLog removed, SampleSet samples, StageExports exports)
{
    private readonly StageTally[] _tallies = [.. steps.Select(s => new StageTally(s.Stage))];
    private readonly Stopwatch _clock = new();

    /// <summary>The document as it goes on; null if it is dropped.</summary>
    public StoredDocument? Run(StoredDocument document)
    {
        for (int i = 0; i < steps.Count; i++)
        {
            var tally = _tallies[i];
            _clock.Restart();
            var result = steps[i].Apply(document);
            tally.Seconds += _clock.Elapsed.TotalSeconds;
            if (result.Document is null)
            {
                string rule = result.Rule!;
                tally.Drop(rule);
                removed.Add(("id", document.Id), ("stage", tally.Stage), ("rule", rule), ("detail", result.Detail));
                samples.Add(tally.Stage, rule, document, result.Detail);
                return null;
            }

            foreach (var (what, count) in result.Changes)
            {
                tally.Change(what, count);
                samples.AddChange(tally.Stage, what, document, result.Document);
            }

            document = result.Document;
            tally.Keep(Encoding.UTF8.GetByteCount(document.Text));
            exports.Add(tally.Stage, document);
        }

        return document;
    }

    public IReadOnlyList<StageTally> Tallies => _tallies;
}
