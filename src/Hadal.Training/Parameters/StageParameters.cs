namespace Hadal.Training.Parameters;

/// <summary>Where the layers of a stage declare their parameters. Those of routed experts may be apart, since fewer ranks have copies of them.</summary>
/// <param name="Dense">Of everything else.</param>
/// <param name="Experts">Of routed experts; may be the same set.</param>
internal readonly record struct StageParameters(ParameterSet Dense, ParameterSet Experts)
{
    /// <summary>All in one set.</summary>
    public StageParameters(ParameterSet all)
        : this(all, all)
    {
    }
}
