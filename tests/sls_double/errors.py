"""What a request is refused with: an HTTP status, SLS's error code, and a text for people."""


class SlsError(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self):
        return {"errorCode": self.code, "errorMessage": self.message}


def parameter_invalid(message):
    return SlsError(400, "ParameterInvalid", message)
