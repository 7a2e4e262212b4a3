namespace Hadal.Training.Precision;

/// <summary>What a product with weights is for, which decides how precise it is (report section 3.3.1).</summary>
internal enum LinearRole
{
    /// <summary>Projections of attention, dense MLPs, shared experts: with the three that follow, what FP8 is for.</summary>
    Block,

    /// <summary>The product behind attention, whose input is kept in a finer form.</summary>
    AttentionOutput,

    /// <summary>Gate and up projections of routed experts, whose input has been sent to them.</summary>
    ExpertUp,

    /// <summary>Down projections of routed experts, whose output gradient has been sent to them.</summary>
    ExpertDown,

    /// <summary>Output head and the projection of a multi-token prediction module: bfloat16 at least.</summary>
    Outer,

    /// <summary>The router: FP32.</summary>
    Router,
}
