package script

import "github.com/pulumi/pulumi-go-provider/infer"

// The modes of the `logging` input. They decide what is shown while a command runs, not what is kept as output.
const (
	logStdout = "stdout"
	logStderr = "stderr"
	logBoth   = "stdoutAndStderr"
	logNone   = "none"
)

// LoggingValues lists the modes for an enumeration. The schema names one enumeration per package (command:local:Logging,
// command:remote:Logging), hence the type parameter.
func LoggingValues[T ~string]() []infer.EnumValue[T] {
	return []infer.EnumValue[T]{
		{Name: logStdout, Value: logStdout, Description: "Log standard output only."},
		{Name: logStderr, Value: logStderr, Description: "Log standard error only."},
		{Name: logBoth, Value: logBoth, Description: "Log standard output and standard error."},
		{Name: logNone, Value: logNone, Description: "Log nothing."},
	}
}

// Logged says which streams a mode logs; nil means both.
func Logged[T ~string](mode *T) (stdout, stderr bool) {
	if mode == nil {
		return true, true
	}
	return *mode == logStdout || *mode == logBoth, *mode == logStderr || *mode == logBoth
}
