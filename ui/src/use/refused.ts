// What did not work, said on top of the page with what to do.
import { ElMessage } from 'element-plus'
import type { ApiError } from '../api/http'

export const refused = (e: unknown) => void ElMessage.error({ message: [(e as ApiError).message, (e as ApiError).hint].filter(Boolean).join(' '), duration: 8000, showClose: true })
