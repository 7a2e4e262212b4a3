namespace Hadal.Inference.Speculation;

/// <summary>How many tokens it pays to draft for a text, from how many of its drafts stood lately.</summary>
internal sealed class DraftLength
{
    /// <summary>Most drafts of a step.</summary>
    public const int Most = Generation.Decoding.MostDrafts;

    // A text whose drafts do not pay tries one again after so many steps.
    private const int Probe = 32;

    // After so many steps of which none was worth a draft but those that tried, the text goes on without the module.
    private const int Patience = 3 * Probe;
    private const double Rate = 0.1;
    private int _idle;
    private int _unpaid;

    /// <summary>Whether drafts have not paid for so long that the module's rows are not worth computing any more either.</summary>
    public bool IsGivenUp => _unpaid >= Patience;

    /// <summary>Probability that the next draft stands if those before it do.</summary>
    public double Acceptance { get; private set; } = 0.7;

    /// <summary>Takes note of a step.</summary>
    public void Add(int proposed, int accepted)
    {
        _idle = proposed == 0 ? _idle + 1 : 0;
        for (int i = 0; i < Math.Min(proposed, accepted + 1); i++) Acceptance += Rate * ((i < accepted ? 1 : 0) - Acceptance);
    }

    /// <summary>How many to draft.</summary>
    /// <param name="most">At most.</param>
    /// <param name="stepSeconds">What the step takes for each token it gives without the draft, over all texts of the step.</param>
    /// <param name="draftSeconds">What a draft costs: a row more of the main model and one of the MTP module.</param>
    /// <returns>The most drafts each of which gives tokens faster than the step does without it.</returns>
    public int Choose(int most, double stepSeconds, double draftSeconds)
    {
        int drafts = 0;
        for (double stands = Acceptance; drafts < most && stands * stepSeconds > draftSeconds; stands *= Acceptance) drafts++;
        _unpaid = drafts > 0 || most == 0 ? 0 : _unpaid + 1;
        return drafts == 0 && most > 0 && _idle >= Probe ? 1 : drafts;
    }
}
