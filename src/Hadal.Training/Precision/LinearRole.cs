namespace Hadal.Training.Precision;

/// <summary>What a product with weights is for, which decides how precise it is (report section 3.3.1).</summary>
internal enum LinearRole
{
    /// <summary>Projections of attention, dense MLPs, shared and routed experts: what FP8 is for.</summary>
    Block,

    /// <summary>Output head and the projection of a multi-token prediction module: bfloat16 at least.</summary>
    Outer,

    /// <summary>The router: FP32.</summary>
    Router,
}
