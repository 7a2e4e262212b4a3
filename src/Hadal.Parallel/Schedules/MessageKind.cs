namespace Hadal.Parallel.Schedules;

/// <summary>Which way a message goes, as the rank sees it, and what it carries.</summary>
public enum MessageKind
{
    /// <summary><c>SF</c>: sends the output of a forward to the rank of the next stage.</summary>
    SendForward,

    /// <summary><c>RF</c>: receives the input of a forward from the rank of the stage before.</summary>
    ReceiveForward,

    /// <summary><c>SB</c>: sends the gradient of a chunk's input to the rank of the stage before.</summary>
    SendBackward,

    /// <summary><c>RB</c>: receives the gradient of a chunk's output from the rank of the next stage.</summary>
    ReceiveBackward,
}
